package serve_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/provider"
	"github.com/drydockhq/drydock/test/serve"
)

// vouched is a server that believes a provider.
type vouched struct {
	matrix
	provider *provider.Provider
	site     *roleSite
}

func startVouched(t *testing.T, args ...string) *vouched {
	t.Helper()
	p, err := provider.Start(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, p.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve.Start(t, serve.Options{Args: append([]string{"--oidc-issuer=" + p.URL, "--oidc-ca=" + ca, "--oidc-name=Example"}, args...)})
	v := &vouched{matrix: matrix{Server: s, t: t}, provider: p}
	transport := s.Transport()
	transport.TLSClientConfig.RootCAs.AddCert(p.Certificate())
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v.http = &http.Client{Transport: transport, Jar: jar}
	v.site = v.roles(s.Azure())
	return v
}

// People of a provider sign in by the button of the pages, or show its tokens as they
// are, and have the roles of the groups that the provider says they are in: by the
// claims of the usual providers.
func TestPeopleOfAProvider(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args           []string
		claims, others map[string]any // of somebody in the group, and what differs for one who isn't
		group, login   string
	}{
		"Entra": {
			args: []string{"--oidc-client-id=5d1e0a0c-75d4-4a26-a3a4-c1a5c3bdf9d8", "--oidc-username-claim=upn"},
			claims: map[string]any{
				"aud": "5d1e0a0c-75d4-4a26-a3a4-c1a5c3bdf9d8", "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "oid": "9b1a7c9e-0a6c-4bb0-a4f7-6a80b1b1f5a1",
				"tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "ver": "2.0", "upn": "Carol@contoso.onmicrosoft.com", "preferred_username": "carol.smith@contoso.example",
				"groups": []string{"0a53828f-36c9-44c3-be3d-99a7fce977ac", "b3a1f6ce-9a0d-4c7c-8e2c-2f2d0f2b6a11"},
			},
			others: map[string]any{"groups": nil, "hasgroups": true},
			group:  "0a53828f-36c9-44c3-be3d-99a7fce977ac", login: "carol@contoso.onmicrosoft.com",
		},
		"Keycloak": {
			args: []string{"--oidc-client-id=drydock", "--oidc-groups-claim=memberships"},
			claims: map[string]any{
				"aud": []string{"account", "drydock"}, "azp": "drydock", "typ": "ID", "sub": "f3a0b2cc-6d52-4c0a-9d0c-77c1e9f3f1f2",
				"preferred_username": "carol", "email": "carol@example.com", "email_verified": true, "memberships": []string{"/platform", "/platform/eu"}, "groups": nil,
			},
			others: map[string]any{"memberships": []string{"/platform/eu", "platform"}, "groups": []string{"/platform"}},
			group:  "/platform", login: "carol",
		},
		"Dex": {
			args: []string{"--oidc-client-id=elsewhere", "--oidc-audiences=drydock-cli", "--oidc-scopes=email", "--oidc-scopes=groups"},
			claims: map[string]any{
				"aud": []string{"elsewhere", "drydock-cli"}, "sub": "CgVjYXJvbBIEbGRhcA", "at_hash": "9ea3XlqHz0dXz2T2Gx0bXg", "preferred_username": nil,
				"email": "carol@example.com", "email_verified": true, "groups": []string{"acme:platform"},
			},
			others: map[string]any{"groups": []string{"acme", "other:platform"}},
			group:  "acme:platform", login: "carol@example.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startVouched(t, test.args...)
			status, group := v.site.admin.send(t, "graph", http.MethodPost, "/v1.0/groups", `{"displayName":"`+test.group+`","mailEnabled":false,"mailNickname":"g","securityEnabled":true}`)
			id, _ := group["id"].(string)
			if status != http.StatusCreated || id == "" {
				t.Fatal(status, group)
			}
			v.site.give(t, "Reader", "/subscriptions/"+v.site.subscription, id, "Group")
			token, err := v.provider.Token(test.claims)
			if err != nil {
				t.Fatal(err)
			}
			v.wantRights("with the provider's token", token, http.StatusOK)
			v.provider.Say(test.claims)
			token = v.signIn()
			v.wantRights("signed in", token, http.StatusOK)
			if asked := v.provider.Asked(); asked.Get("client_id") != strings.TrimPrefix(test.args[0], "--oidc-client-id=") || asked.Get("redirect_uri") != "https://"+v.Host("login")+"/oidc/callback" {
				t.Errorf("the provider was asked with %v", asked)
			}
			if got := loginOf(t, token); got != test.login {
				t.Errorf("the person is %q, not %q", got, test.login)
			}
			for claim, value := range test.others {
				test.claims[claim] = value
			}
			v.provider.Say(test.claims)
			v.wantRights("signed in, out of the group", v.signIn(), http.StatusForbidden)
			test.claims["aud"] = "another-service"
			if token, err = v.provider.Token(test.claims); err != nil {
				t.Fatal(err)
			}
			v.wantRights("with a token for another service", token, http.StatusUnauthorized)
		})
	}
}

// signIn goes the way of a person to whom a client shows a code: to its page, by the
// button on it to the provider, and back. It returns the client's token.
func (v *vouched) signIn() string {
	v.t.Helper()
	login, client := "https://"+v.Host("login"), "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	var device struct {
		UserCode   string `json:"user_code"`
		DeviceCode string `json:"device_code"`
	}
	answer := v.page(v.http.PostForm(login+"/"+v.Tenant+"/oauth2/v2.0/devicecode", url.Values{
		"client_id": {client}, "scope": {"https://" + v.Host("management") + "/.default"},
	}))
	if err := json.Unmarshal([]byte(answer), &device); err != nil || device.UserCode == "" {
		v.t.Fatal(answer, err)
	}
	page := v.page(v.http.Get(login + "/device?user_code=" + device.UserCode))
	if !strings.Contains(page, "Sign in with Example") || !strings.Contains(page, `action="/oidc/start"`) {
		v.t.Fatalf("there is no button on the page:\n%s", page)
	}
	if page = v.page(v.http.PostForm(login+"/oidc/start", url.Values{"user_code": {device.UserCode}})); !strings.Contains(page, "You are signed in") {
		v.t.Fatalf("the way through the provider ends at\n%s", page)
	}
	return v.form(login+"/"+v.Tenant+"/oauth2/v2.0/token", "access_token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {client}, "device_code": {device.DeviceCode},
	})
}

// page returns the text of an answer, whose status is 200.
func (v *vouched) page(answer *http.Response, err error) string {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %s %s %v", answer.Request.URL, answer.Status, text, err)
	}
	return string(text)
}

// wantRights looks at what a reader of the subscription sees, and tries what one may
// not.
func (v *vouched) wantRights(who, token string, status int) {
	v.t.Helper()
	group := "https://" + v.Host("management") + "/subscriptions/" + v.site.subscription + "/resourceGroups/tests?api-version=2021-04-01"
	refused := max(status, http.StatusForbidden)
	if status == http.StatusUnauthorized {
		refused = status
	}
	reads := strings.Replace(group, "/tests?", "?", 1)
	for _, c := range []struct {
		method, address string
		want            int
	}{{http.MethodGet, reads, status}, {http.MethodPut, group, refused}} {
		r, err := http.NewRequestWithContext(v.t.Context(), c.method, c.address, strings.NewReader(`{"location":"here"}`))
		if err != nil {
			v.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		if got, text := v.send(r); got != c.want {
			v.t.Errorf("%s, %s is %d, want %d: %s", who, c.method, got, c.want, text)
		}
	}
}

// loginOf returns the name that a token says its person has.
func loginOf(t *testing.T, token string) string {
	t.Helper()
	var claims struct {
		Username string `json:"preferred_username"`
	}
	parts := strings.Split(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[len(parts)/2])
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims.Username
}
