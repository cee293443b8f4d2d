package auth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// grant answers a request for a token by what it shows for it.
func (a *Authority) grant(r *http.Request) (*tokenAnswer, error) {
	var open func(*http.Request) (*session, error)
	switch grant := r.PostForm.Get("grant_type"); grant {
	case "":
		return nil, missing("grant_type")
	case "client_credentials":
		return a.clientCredentials(r)
	case "password":
		open = a.passwordGrant
	case "refresh_token":
		open = a.refresh
	case "authorization_code":
		open = a.redeemCode
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code": // MSAL for Go has the former
		open = a.redeemDeviceCode
	default:
		return nil, &oauthError{
			http.StatusBadRequest, "unsupported_grant_type", 70003,
			fmt.Sprintf("The app requested an unsupported grant type '%s'.", printable(grant)),
		}
	}
	s, err := open(r)
	if err != nil {
		return nil, err
	}
	return a.personAnswer(r, s)
}

// personAnswer returns the tokens of a session.
func (a *Authority) personAnswer(r *http.Request, s *session) (*tokenAnswer, error) {
	if scope := r.PostForm.Get("scope"); scope != "" || s.scopes == nil {
		s.scopes = strings.Fields(scope)
	}
	resource, err := a.personResource(r.PostForm.Get("resource"), s.scopes)
	if err != nil {
		return nil, err
	}
	if resource == "" {
		resource = s.resource
	}
	if resource == "" { // who wants to know the person only
		resource = a.userInfoResource()
	}
	s.resource, s.issuer = resource, a.issuerOf(r)
	seconds := int(tokenLifetime.Seconds()) - 1
	answer := &tokenAnswer{Type: "Bearer", ExpiresIn: seconds, Extended: seconds, Resource: r.PostForm.Get("resource"), Scope: grantedScopes(resource, s.scopes)}
	if answer.Token, err = a.personAccess(r.Context(), s, resource); err != nil {
		return nil, err
	}
	if answer.Refresh, err = a.personRefresh(s); err != nil {
		return nil, err
	}
	// The flavours of before OpenID ask for no scopes, and expect it all the same.
	if len(s.scopes) == 0 || slices.Contains(s.scopes, "openid") {
		if answer.ID, err = a.personID(s); err != nil {
			return nil, err
		}
	}
	if r.PostForm.Get("client_info") == "1" {
		text, err := json.Marshal(map[string]string{"uid": s.person.ID, "utid": a.c.Tenant})
		if err != nil {
			return nil, err
		}
		answer.ClientInfo = base64.RawURLEncoding.EncodeToString(text)
	}
	return answer, nil
}

// personResource returns the service that a person's client asks for, "" for
// none: the resource of v1, or that of the first scope with one.
func (a *Authority) personResource(resource string, scopes []string) (string, error) {
	for i := 0; i < len(scopes) && resource == ""; i++ {
		if cut := strings.LastIndexByte(scopes[i], '/'); cut > 0 && strings.Contains(scopes[i], "://") {
			resource = scopes[i][:cut]
		}
	}
	if resource == "" {
		return "", nil
	}
	if _, known := a.audienceOf(resource); !known {
		return "", unknownResource(resource)
	}
	return resource, nil
}

// userInfoResource is what tokens are for that are asked for without a service.
func (a *Authority) userInfoResource() string {
	if names := a.c.Resources[Graph]; len(names) > 0 {
		return names[0]
	}
	return a.c.Resources[Management][0]
}

// grantedScopes says what was granted in the words in which it was asked for.
func grantedScopes(resource string, scopes []string) string {
	if len(scopes) == 0 {
		return resource + "/user_impersonation"
	}
	return strings.Join(scopes, " ")
}

// issuerOf is the issuer that discovery names under the host and in the flavour
// of a request.
func (a *Authority) issuerOf(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/adfs/") {
		return base(r) + "/adfs"
	}
	return base(r) + "/" + a.c.Tenant + "/v2.0"
}
