// Package provider is an OpenID provider on loopback that takes everybody who signs
// in for the same person, and says what tests want it to about that one.
package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Provider is a provider that answers at Server.URL, which is its issuer too. By
// default its person is carol of the groups platform and staff, and its tokens are
// for "drydock". Its methods may be called from several goroutines.
type Provider struct {
	*httptest.Server
	key *ecdsa.PrivateKey
	now func() time.Time

	mu     sync.Mutex
	claims map[string]any // of those who sign in
	asked  url.Values     // of the last authorization
	down   bool
}

// Start starts a provider, whose tokens are good for an hour from now. The caller
// closes it.
func Start(now func() time.Time) (*Provider, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key of a provider: %w", err)
	}
	p := &Provider{key: key, now: now}
	p.Server = httptest.NewTLSServer(p)
	return p, nil
}

// CA returns what clients of the provider have to trust, in PEM form.
func (p *Provider) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
}

// Say has the provider say other claims of those who sign in from now on.
func (p *Provider) Say(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims = claims
}

// SetDown has the provider fail, or work again.
func (p *Provider) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Asked returns the parameters of the last sign-in.
func (p *Provider) Asked() url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer(w, http.StatusOK, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	case "/keys":
		answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	case "/authorize":
		p.asked = r.URL.Query()
		http.Redirect(w, r, p.asked.Get("redirect_uri")+"?code=c&state="+url.QueryEscape(p.asked.Get("state")), http.StatusSeeOther)
	case "/token":
		p.redeem(w, r)
	default:
		http.NotFound(w, r)
	}
}

// redeem answers with the tokens of who signed in last, and needs the verifier of
// that sign-in.
func (p *Provider) redeem(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if r.FormValue("code") != "c" || subtle.ConstantTimeCompare([]byte(challenge), []byte(p.asked.Get("code_challenge"))) != 1 {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{"nonce": p.asked.Get("nonce")}
	maps.Copy(claims, p.claims)
	token, err := p.Token(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token})
}

func answer(w http.ResponseWriter, status int, doc any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(doc) // who has gone needs none
}

// Token signs a token about the person, with other claims where they are given; those
// that are nil are left out.
func (p *Provider) Token(other map[string]any) (string, error) { return p.sign(p.key, other) }

// Forge is Token with a key that is not the provider's.
func (p *Provider) Forge(other map[string]any) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("making the key of another: %w", err)
	}
	return p.sign(key, other)
}

func (p *Provider) sign(key *ecdsa.PrivateKey, other map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		return "", err
	}
	claims := map[string]any{
		"iss": p.URL, "sub": "42", "aud": "drydock", "exp": p.now().Add(time.Hour).Unix(), "iat": p.now().Unix(),
		"preferred_username": "Carol@Example.com", "name": "Carol", "groups": []string{"platform", "staff"},
	}
	maps.Copy(claims, other)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return jwt.Signed(signer).Claims(claims).Serialize()
}
