package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// codeLifetime is how long a client has to redeem a code.
const codeLifetime = 5 * time.Minute

// maxState bounds what a client has carried through the browser, in bytes.
const maxState = 4 << 10

// authorization is what a client asks of a person's browser: RFC 6749 §4.1.1 with
// the challenge of RFC 7636, which all have to show.
type authorization struct {
	session
	clientName string
	redirect   string
	state      string
	mode       string // how the browser brings the answer: query, fragment or form_post
	challenge  string
}

// readAuthorization reads a request for a code. An error before the redirection
// is known to be the client's own is for the person, whom it returns false for.
func (a *Authority) readAuthorization(ctx context.Context, form url.Values) (z authorization, trusted bool, err error) {
	z.client = strings.ToLower(form.Get("client_id"))
	if z.client == "" {
		return z, false, missing("client_id")
	}
	if z.clientName, err = a.clientName(ctx, z.client); err != nil {
		return z, false, err
	}
	z.redirect, z.state, z.nonce, z.challenge = form.Get("redirect_uri"), form.Get("state"), form.Get("nonce"), form.Get("code_challenge")
	if !toLoopback(z.redirect) {
		return z, false, &oauthError{
			http.StatusBadRequest, "invalid_request", 50011,
			"The redirect URI '" + printable(z.redirect) + "' does not match the redirect URIs of the application: clients listen at http://localhost.",
		}
	}
	if len(z.state)+len(z.nonce) > maxState {
		return z, false, &oauthError{http.StatusBadRequest, "invalid_request", 90014, "'state' and 'nonce' are longer than 4 KiB."}
	}
	z.mode = form.Get("response_mode")
	switch {
	case z.mode == "":
		z.mode = "query"
	case z.mode != "query" && z.mode != "fragment" && z.mode != "form_post":
		return z, false, &oauthError{http.StatusBadRequest, "invalid_request", 90014, "The 'response_mode' is none of query, fragment and form_post."}
	}
	switch {
	case form.Get("response_type") != "code":
		return z, true, &oauthError{http.StatusBadRequest, "unsupported_response_type", 700054, "The 'response_type' has to be 'code'."}
	case form.Get("code_challenge_method") != "S256" || len(z.challenge) != 43:
		return z, true, &oauthError{http.StatusBadRequest, "invalid_request", 9002325, "Proof Key for Code Exchange is required, with the method S256."}
	case form.Get("prompt") == "none":
		return z, true, &oauthError{http.StatusBadRequest, "login_required", 50058, "Nobody is signed in to this authority's pages: people sign in each time."}
	}
	z.scopes = strings.Fields(form.Get("scope"))
	z.resource, err = a.personResource(form.Get("resource"), z.scopes)
	return z, true, err
}

// toLoopback reports whether a redirection is to a program on the person's own
// machine: the clients that there are have no other. See RFC 8252 §7.3.
func toLoopback(redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" || strings.ContainsAny(redirect, " \r\n\t") {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}

// newCode returns a code for a person that has signed in.
func (a *Authority) newCode(z authorization, p drydock.Principal, from string) (string, error) {
	z.person, z.signedIn = p, a.c.Now()
	code := NewSecret()
	return code, a.codes.add(code, from, z)
}

// redeemCode answers the grant of RFC 6749 §4.1.3. A code is good once.
func (a *Authority) redeemCode(r *http.Request) (*session, error) {
	form := r.PostForm
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(name) == "" {
			return nil, missing(name)
		}
	}
	client, err := a.client(r)
	if err != nil {
		return nil, err
	}
	z, found := a.codes.take(form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	proof := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case !found:
		return nil, invalidGrant(70008, "The provided authorization code has expired, or was used. Sign in again.")
	case client != z.client:
		return nil, invalidGrant(700005, "The provided authorization code was issued to another client.")
	case form.Get("redirect_uri") != z.redirect:
		return nil, invalidGrant(500112, "The redirect URI is not the one that the code was asked for with.")
	case subtle.ConstantTimeCompare([]byte(proof), []byte(z.challenge)) != 1:
		return nil, invalidGrant(50148, "The code_verifier does not match the code_challenge supplied in the authorization request.")
	}
	return &z.session, nil
}
