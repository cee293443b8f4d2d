package oci

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// TokenUser is the name with which a refresh token is given as a password, as
// ACR has it.
const TokenUser = "00000000-0000-0000-0000-000000000000"

const (
	maxTokenForm   = 64 << 10
	maxTokenScopes = 100
)

// basicCredentials returns the credentials of a request's Basic header.
func basicCredentials(r *http.Request) (Credentials, bool) {
	user, password, ok := r.BasicAuth()
	return namedCredentials(user, password), ok && user != "" && password != ""
}

func namedCredentials(user, password string) Credentials {
	if user == TokenUser {
		return Credentials{RefreshToken: password}
	}
	return Credentials{Username: user, Password: password}
}

// signIn returns whose credentials these are.
func (c *call) signIn(credentials Credentials) (drydock.Principal, error) {
	p, err := c.server.options.Authorizer.SignIn(c.r.Context(), c.registry.ID, credentials)
	if drydock.CodeOf(err) == drydock.Denied {
		return p, c.challenge(Access{}, "", "the credentials are not good: "+err.Error())
	}
	return p, err
}

// form reads the parameters of a token request: of a POST those of its body
// alone, since addresses end up in logs.
func (c *call) form() error {
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxTokenForm)
	if err := c.r.ParseForm(); err != nil {
		return badRequest("the form can't be read: " + err.Error())
	}
	if c.r.Method == http.MethodPost {
		c.r.Form = c.r.PostForm
	}
	return nil
}

// exchange answers /oauth2/exchange: a refresh token of the registry for an
// access token of the authority.
func (c *call) exchange() error {
	if c.r.Method != http.MethodPost {
		return methodNotAllowed(c.r)
	}
	if err := c.form(); err != nil {
		return err
	}
	switch grant := c.r.Form.Get("grant_type"); grant {
	case "access_token", "access_token_refresh_token":
	default:
		return badRequest("the grant_type is " + grant + ", not access_token")
	}
	token := c.r.Form.Get("access_token")
	if token == "" {
		return badRequest("the form has no access_token")
	}
	p, err := c.signIn(Credentials{AccessToken: token})
	if err != nil {
		return err
	}
	refresh, err := c.server.options.Authorizer.MintRefresh(c.r.Context(), c.registry.ID, p)
	if err != nil {
		return err
	}
	noStore(c.w)
	writeJSON(c.w, c.r, http.StatusOK, map[string]string{"refresh_token": refresh})
	return nil
}

// token answers /oauth2/token: an access token for the scopes of the request,
// as far as the caller may have them. Who does not sign in gets one too where
// everybody may pull, but nothing to get another one with.
func (c *call) token() error {
	if !c.isOneOf(http.MethodGet, http.MethodPost) {
		return methodNotAllowed(c.r)
	}
	if err := c.form(); err != nil {
		return err
	}
	credentials, err := c.tokenCredentials()
	if err != nil {
		return err
	}
	p, err := c.signIn(credentials)
	if err != nil {
		return err
	}
	granted, err := c.grant(p)
	if err != nil {
		return err
	}
	authorizer := c.server.options.Authorizer
	token, lifetime, err := authorizer.MintAccess(c.r.Context(), c.registry.ID, p, granted)
	if err != nil {
		return err
	}
	answer := map[string]any{
		"access_token": token, "token": token,
		"expires_in": int(lifetime.Seconds()), "issued_at": time.Now().UTC().Format(time.RFC3339),
	}
	offline := c.r.Form.Get("offline_token") == "true" || c.r.Form.Get("access_type") == "offline"
	if offline && p.Kind != drydock.Anybody {
		if answer["refresh_token"], err = authorizer.MintRefresh(c.r.Context(), c.registry.ID, p); err != nil {
			return err
		}
	}
	noStore(c.w)
	writeJSON(c.w, c.r, http.StatusOK, answer)
	return nil
}

// tokenCredentials returns what a token request signs in with: a Basic header,
// or the form of a POST. A GET without a header signs in as anybody.
func (c *call) tokenCredentials() (Credentials, error) {
	if credentials, ok := basicCredentials(c.r); ok {
		return credentials, nil
	}
	refused := c.challenge(Access{}, "", "authentication required")
	if c.r.Header.Get("Authorization") != "" {
		return Credentials{}, refused
	}
	if c.r.Method != http.MethodPost {
		return Credentials{}, nil
	}
	form := c.r.PostForm
	switch grant := form.Get("grant_type"); {
	case grant == "refresh_token" && form.Get("refresh_token") != "":
		return Credentials{RefreshToken: form.Get("refresh_token")}, nil
	case grant == "password" && form.Get("username") != "" && form.Get("password") != "":
		return namedCredentials(form.Get("username"), form.Get("password")), nil
	case grant == "refresh_token", grant == "password":
		return Credentials{}, refused
	default:
		return Credentials{}, badRequest("the grant_type is " + grant + ", not refresh_token or password")
	}
}

// grant returns what of the scopes of a request a principal may do.
func (c *call) grant(p drydock.Principal) ([]Access, error) {
	var granted []Access
	seen := 0
	for _, text := range c.r.Form["scope"] {
		for field := range strings.FieldsSeq(text) {
			want, ok := parseScope(field)
			if !ok {
				continue
			}
			if seen++; seen > maxTokenScopes {
				return nil, badRequest("there are too many scopes")
			}
			allowed, err := c.server.options.Authorizer.Allowed(c.r.Context(), c.registry.ID, p, want)
			if err != nil {
				return nil, err
			}
			want.Actions = slices.DeleteFunc(want.Actions, func(action string) bool {
				return !slices.Contains(allowed, action)
			})
			if len(want.Actions) > 0 {
				granted = append(granted, want)
			}
		}
	}
	return granted, nil
}

// parseScope reads a scope such as "repository:hello-world:pull,push". What
// names no repository and not the catalog is not ok: nothing could be allowed.
func parseScope(text string) (Access, bool) {
	kind, rest, _ := strings.Cut(text, ":")
	colon := strings.LastIndexByte(rest, ':')
	if colon < 0 {
		return Access{}, false
	}
	want := Access{Type: kind, Name: rest[:colon]}
	known := []string{Everything}
	switch {
	case kind == repositoryType && drydock.CheckRepositoryName(want.Name) == nil:
		known = []string{Pull, Push, Delete, ReadMetadata, WriteMetadata}
	case kind == registryType && want.Name == catalogName:
	default:
		return Access{}, false
	}
	asked := strings.Split(rest[colon+1:], ",")
	for _, action := range known {
		if slices.Contains(asked, action) || slices.Contains(asked, Everything) {
			want.Actions = append(want.Actions, action)
		}
	}
	return want, true
}

func noStore(w http.ResponseWriter) { w.Header().Set("Cache-Control", "no-store") }
