package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
)

// maxForm bounds a request for a token.
const maxForm = 64 << 10

// token answers the token endpoints. See RFC 6749 §4.4 and §5.
func (a *Authority) token(w http.ResponseWriter, r *http.Request) {
	if err := a.parseForm(w, r); err != nil {
		a.refuse(w, err)
		return
	}
	answer, err := a.grant(r)
	if err != nil {
		a.refuse(w, err)
		return
	}
	noStore(w)
	writeJSON(w, http.StatusOK, answer)
}

// parseForm reads the form of a request, whose tenant has to be the one there is.
func (a *Authority) parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return &oauthError{http.StatusBadRequest, "invalid_request", 90014, "The request is not a form of at most 64 KiB."}
	}
	if t := r.PathValue("tenant"); t != "" && !a.knownTenant(t) {
		return a.unknownTenant(t)
	}
	return nil
}

type tokenAnswer struct {
	Type       string `json:"token_type"`
	ExpiresIn  int    `json:"expires_in"`
	Extended   int    `json:"ext_expires_in"`
	Token      string `json:"access_token"`
	Resource   string `json:"resource,omitempty"`
	Scope      string `json:"scope,omitempty"`
	Refresh    string `json:"refresh_token,omitempty"`
	ID         string `json:"id_token,omitempty"`
	ClientInfo string `json:"client_info,omitempty"`
}

func (a *Authority) clientCredentials(r *http.Request) (*tokenAnswer, error) {
	form := r.PostForm
	resource, err := a.resourceOf(form)
	if err != nil {
		return nil, err
	}
	p, err := a.signIn(r.Context(), form, r)
	if err != nil {
		return nil, err
	}
	token, err := a.issue(p, resource)
	if err != nil {
		return nil, err
	}
	seconds := int(tokenLifetime.Seconds()) - 1
	return &tokenAnswer{Type: "Bearer", ExpiresIn: seconds, Extended: seconds, Token: token, Resource: form.Get("resource")}, nil
}

// resourceOf returns the service that a token is asked for: the scope
// "{resource}/.default" of v2, or the resource of v1.
func (a *Authority) resourceOf(form url.Values) (string, error) {
	resource := form.Get("resource")
	for _, scope := range strings.Fields(form.Get("scope")) {
		if name, ok := strings.CutSuffix(scope, "/.default"); ok {
			resource = name
		}
	}
	if resource == "" {
		return "", &oauthError{
			http.StatusBadRequest, "invalid_scope", 1002012,
			"The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.",
		}
	}
	if _, ok := a.audienceOf(resource); !ok {
		return "", unknownResource(resource)
	}
	return resource, nil
}

func unknownResource(resource string) *oauthError {
	return &oauthError{
		http.StatusBadRequest, "invalid_resource", 500011,
		fmt.Sprintf("The resource principal named %s was not found in the tenant.", printable(resource)),
	}
}

// signIn returns the service principal whose id and secret a request has, in the
// form or as Basic credentials.
func (a *Authority) signIn(ctx context.Context, form url.Values, r *http.Request) (drydock.Principal, error) {
	id, secret, err := clientCredentialsOf(r)
	if err != nil {
		return drydock.Principal{}, err
	}
	switch {
	case id == "":
		return drydock.Principal{}, missing("client_id")
	case form.Has("client_assertion"):
		return drydock.Principal{}, &oauthError{http.StatusUnauthorized, "invalid_client", 700027, "This authority does not know client assertions. Sign in with a client secret."}
	case secret == "":
		return drydock.Principal{}, &oauthError{http.StatusUnauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_secret'."}
	}
	return a.CheckSecret(ctx, id, secret)
}

// clientCredentialsOf returns the id and secret of the client that a request is
// from, in the form or as Basic credentials; either may be empty.
func clientCredentialsOf(r *http.Request) (id, secret string, err error) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), nil
	}
	// RFC 6749 §2.3.1 encodes both as in a form.
	if id, err = url.QueryUnescape(user); err != nil {
		return "", "", missing("client_id")
	}
	if secret, err = url.QueryUnescape(password); err != nil {
		return "", "", missing("client_secret")
	}
	return id, secret, nil
}

// CheckSecret returns the principal with a client id if secret is one of its
// secrets and has not expired.
func (a *Authority) CheckSecret(ctx context.Context, appID, secret string) (drydock.Principal, error) {
	p, err := a.c.Principals.PrincipalByAppID(ctx, strings.ToLower(appID))
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.Principal{}, &oauthError{
			http.StatusBadRequest, "unauthorized_client", 700016,
			fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.", printable(appID), a.c.Tenant),
		}
	}
	if err != nil {
		return drydock.Principal{}, fmt.Errorf("finding the application: %w", err)
	}
	if p.Kind == drydock.Application {
		return drydock.Principal{}, &oauthError{
			http.StatusBadRequest, "unauthorized_client", 7000229,
			fmt.Sprintf("The client application %s is missing its service principal in the tenant %s.", p.AppID, a.c.Tenant),
		}
	}
	expired := false
	for _, s := range p.Secrets {
		ok, err := a.c.Hasher.Matches(ctx, s.Hash, secret)
		if err != nil {
			return drydock.Principal{}, err
		}
		if ok && (s.Expires.IsZero() || a.c.Now().Before(s.Expires)) {
			return p, nil
		}
		expired = expired || ok
	}
	if expired {
		return drydock.Principal{}, &oauthError{
			http.StatusUnauthorized, "invalid_client", 7000222,
			fmt.Sprintf("The provided client secret keys for app '%s' are expired.", p.AppID),
		}
	}
	return drydock.Principal{}, &oauthError{
		http.StatusUnauthorized, "invalid_client", 7000215,
		fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", p.AppID),
	}
}
