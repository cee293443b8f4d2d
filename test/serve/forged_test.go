package serve_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// bearers ask hosts of a server with bearer tokens.
type bearers struct {
	*serve.Server
	t    *testing.T
	http *http.Client
}

// ask sends a request, a POST if there is a form, and returns the status, what the
// answer says of tokens and the JSON in it.
func (b bearers) ask(host, path, token string, form url.Values) (status int, challenge string, answer map[string]any) {
	b.t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, "https://"+b.Host(host)+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = json.Unmarshal(text, &answer) // what has no JSON has none of its keys
	return resp.StatusCode, resp.Header.Get("WWW-Authenticate"), answer
}

// issued asks for a token, which is at a key of the answer.
func (b bearers) issued(host, path, key string, form url.Values) string {
	b.t.Helper()
	status, _, answer := b.ask(host, path, "", form)
	token, _ := answer[key].(string)
	if status != http.StatusOK || strings.Count(token, ".") != 2 {
		b.t.Fatalf("%s%s: %d %v", host, path, status, answer)
	}
	return token
}

// service returns the admin's token for a service.
func (b bearers) service(name string) string {
	b.t.Helper()
	return b.issued("login", "/"+b.Tenant+"/oauth2/v2.0/token", "access_token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {b.ClientID}, "client_secret": {b.Secret}, "scope": {"https://" + b.Host(name) + "/.default"},
	})
}

// exchanged returns a registry's token to refresh.
func (b bearers) exchanged(registry, token string) string {
	b.t.Helper()
	return b.issued(registry+".azurecr", "/oauth2/exchange", "refresh_token", b.exchange(registry, token))
}

func (b bearers) exchange(registry, token string) url.Values {
	return url.Values{"grant_type": {"access_token"}, "service": {b.LoginServer(registry)}, "tenant": {b.Tenant}, "access_token": {token}}
}

func (b bearers) refresh(registry, token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "service": {b.LoginServer(registry)}, "scope": {"registry:catalog:*"}, "refresh_token": {token}}
}

// publicKey returns the key that the server signs with, and its id.
func (b bearers) publicKey(token string) *rsa.PublicKey {
	b.t.Helper()
	_, _, answer := b.ask("login", "/"+b.Tenant+"/discovery/v2.0/keys", "", nil)
	kid := part(b.t, token, 0)["kid"]
	keys, _ := answer["keys"].([]any)
	for _, k := range keys {
		if key, _ := k.(map[string]any); key["kid"] == kid {
			n, err := base64.RawURLEncoding.DecodeString(key["n"].(string))
			if err != nil {
				b.t.Fatal(err)
			}
			return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
		}
	}
	b.t.Fatalf("the key %v is not among %v", kid, answer)
	return nil
}

// part reads a part of a token.
func part(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	var o map[string]any
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func encoded(t *testing.T, o map[string]any) string {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// forgeries are what somebody makes of a good token, who has read the server's
// public key and has one of his own.
func forgeries(t *testing.T, token string, public *rsa.PublicKey, own *rsa.PrivateKey) map[string]string {
	t.Helper()
	parts, enc := strings.Split(token, "."), base64.RawURLEncoding
	head := func(changes map[string]any) string {
		o := part(t, token, 0)
		for key, value := range changes {
			o[key] = value
		}
		return encoded(t, o)
	}
	signed := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, own, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + enc.EncodeToString(signature)
	}
	shared := head(map[string]any{"alg": "HS256"}) + "." + parts[1]
	mac := hmac.New(sha256.New, public.N.Bytes())
	mac.Write([]byte(shared))
	later := part(t, token, 1)
	later["exp"] = 4_000_000_000
	jwk := map[string]any{"kty": "RSA", "alg": "RS256", "kid": "mine", "n": enc.EncodeToString(own.N.Bytes()), "e": "AQAB"}
	return map[string]string{
		"alg none":                          head(map[string]any{"alg": "none"}) + "." + parts[1] + ".",
		"alg None, with a signature":        head(map[string]any{"alg": "None"}) + "." + parts[1] + "." + parts[2],
		"the public key as a shared secret": shared + "." + enc.EncodeToString(mac.Sum(nil)),
		"signed with another key":           signed(parts[0] + "." + parts[1]),
		"a key that it brings along":        signed(head(map[string]any{"jwk": jwk, "kid": "mine"}) + "." + parts[1]),
		"a later end":                       parts[0] + "." + encoded(t, later) + "." + parts[2],
		"no signature":                      parts[0] + "." + parts[1] + ".",
		"two parts":                         parts[0] + "." + parts[1],
		"no token":                          "garbage",
	}
}

// Forged tokens, and good ones that are for something else, open no host: neither the
// resource manager, the directory and vaults, nor registries, which also give none of
// their own for them.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	a := s.Azure()
	a.CreateRegistry("contoso")
	a.CreateRegistry("fabrikam")
	s.Client(serve.Client{}).Must("keyvault", "create", "-n", "forged-keys", "-g", serve.Group, "-o", "none")
	b := bearers{s, t, s.HTTP()}
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{"management": b.service("management"), "graph": b.service("graph"), "vault": b.service("vault")}
	for _, registry := range []string{"contoso", "fabrikam"} {
		good[registry+" to refresh"] = b.exchanged(registry, good["management"])
		good[registry] = b.issued(registry+".azurecr", "/oauth2/token", "access_token", b.refresh(registry, good[registry+" to refresh"]))
	}
	for name, door := range map[string]struct {
		host, path string
		form       func(token string) url.Values // nil if the token is a bearer's
		opens      string                        // the one of good
	}{
		"the resource manager": {"management", "/subscriptions?api-version=2022-12-01", nil, "management"},
		"the directory":        {"graph", "/v1.0/applications", nil, "graph"},
		"a vault":              {"forged-keys.vault", "/secrets?api-version=7.4", nil, "vault"},
		"a registry":           {"contoso.azurecr", "/acr/v1/_catalog", nil, "contoso"},
		"the registry's API":   {"contoso.azurecr", "/v2/_catalog", nil, "contoso"},
		"an exchange": {"contoso.azurecr", "/oauth2/exchange", func(token string) url.Values {
			return b.exchange("contoso", token)
		}, "management"},
		"a refresh": {"contoso.azurecr", "/oauth2/token", func(token string) url.Values {
			return b.refresh("contoso", token)
		}, "contoso to refresh"},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func(token string) (int, string) {
				bearer, form := token, url.Values(nil)
				if door.form != nil {
					bearer, form = "", door.form(token)
				}
				status, challenge, _ := b.ask(door.host, door.path, bearer, form)
				return status, challenge
			}
			if status, _ := ask(good[door.opens]); status != http.StatusOK {
				t.Fatalf("the right token: %d", status)
			}
			bad := forgeries(t, good[door.opens], b.publicKey(good[door.opens]), own)
			for other, token := range good {
				if other != door.opens {
					bad["one for "+other] = token
				}
			}
			for what, token := range bad {
				status, challenge := ask(token)
				if status != http.StatusUnauthorized || door.form == nil && !strings.HasPrefix(challenge, "Bearer ") {
					t.Errorf("%s: %d %q", what, status, challenge)
				}
			}
		})
	}
}
