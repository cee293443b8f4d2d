package serve_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock/test/serve"
)

// tokenUser is the name under which registries take tokens as passwords.
const tokenUser = "00000000-0000-0000-0000-000000000000"

// pushing is what AcrPush allows.
var pushing = append([]string{"push", "metadata_write"}, reading...)

// people makes a person with a role in contoso, who signs in to registries with a
// token of the issuer, or with what a registry has given for that.
func (m *matrix) people(site *roleSite, scope string) []asker {
	m.t.Helper()
	const login, password = "alice@drydock.test", "correct horse"
	status, doc := site.admin.send(m.t, "graph", http.MethodPost, "/v1.0/users", `{"displayName":"Alice","accountEnabled":true,"mailNickname":"alice",
		"userPrincipalName":"`+login+`","passwordProfile":{"password":"`+password+`","forceChangePasswordNextSignIn":false}}`)
	id, _ := doc["id"].(string)
	if status != http.StatusCreated || id == "" {
		m.t.Fatal(status, doc)
	}
	site.give(m.t, "AcrPush", scope, id, "User")
	token := m.form("https://"+m.Host("login")+"/"+m.Tenant+"/oauth2/v2.0/token", "access_token", url.Values{
		"grant_type": {"password"}, "client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "username": {login}, "password": {password},
		"scope": {"https://containerregistry.azure.net/.default"},
	})
	may := func(registry string) []string {
		if registry != "contoso" {
			return nil
		}
		return pushing
	}
	refresh := m.exchange("contoso", token)
	return []asker{
		{
			name: "a person", user: tokenUser, password: token, nobody: func(string) bool { return false },
			may: func(registry, _ string) []string { return may(registry) },
		},
		m.of("contoso", "a person's refresh token", tokenUser, refresh, func(string) []string { return pushing }),
		m.of("fabrikam", "a person's refresh token of fabrikam", tokenUser, m.exchange("fabrikam", token), func(string) []string { return nil }),
		m.wrong("a refresh token under the person's name", login, refresh),
		m.wrong("a person's password", login, password), // registries take none, as ACR
	}
}

// give gives a role to somebody of a kind.
func (r *roleSite) give(t *testing.T, role, scope, principal, kind string) {
	t.Helper()
	definition := "/subscriptions/" + r.subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + roleIDs[role]
	if !r.admin.arm(t, http.MethodPut, scope+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString(),
		`{"properties":{"roleDefinitionId":"`+definition+`","principalId":"`+principal+`","principalType":"`+kind+`"}}`) {
		t.Fatal("the admin can't give a role")
	}
}

// exchange returns a registry's refresh token for a token of the issuer.
func (m *matrix) exchange(registry, token string) string {
	m.t.Helper()
	return m.form("https://"+m.LoginServer(registry)+"/oauth2/exchange", "refresh_token", url.Values{
		"grant_type": {"access_token"}, "service": {m.LoginServer(registry)}, "access_token": {token},
	})
}

// form posts a form, and returns one field of the answer.
func (m *matrix) form(address, field string, form url.Values) string {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, text := m.send(r)
	var answer map[string]any
	err = json.Unmarshal(text, &answer)
	value, _ := answer[field].(string)
	if err != nil || status != http.StatusOK || value == "" {
		m.t.Fatalf("%s: %d %s", address, status, text)
	}
	return value
}

// expiring makes a token of contoso, one of whose passwords is good for seconds only.
// It is to be gone before it is asked with: see expired.
func (m *matrix) expiring(maker tokenMaker) (soon, lasting asker) {
	passwords := maker.scoped("contoso", "expiring", "repositories/team/app/content/read")
	in := time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano)
	short := maker.generate("contoso", "expiring", `,"name":"password1","expiry":"`+in+`"`)
	return m.wrong("an expired password", "expiring", short[0]), m.of("contoso", "the other password of an expired one", "expiring", passwords[1], func(repository string) []string {
		if repository != "team/app" {
			return nil
		}
		return []string{"pull"}
	})
}

// expired waits until the registry says that somebody's password has expired: that
// it is refused for another reason would show nothing.
func (m *matrix) expired(who asker) {
	m.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		r := m.request(http.MethodGet, "contoso", "/oauth2/token?service="+m.LoginServer("contoso"), "")
		r.SetBasicAuth(who.user, who.password)
		status, text := m.send(r)
		switch {
		case status == http.StatusUnauthorized && strings.Contains(string(text), "password1 of the token 'expiring' expired at"):
			return
		case status != http.StatusOK || time.Now().After(deadline):
			m.t.Fatalf("%s: %d %s", who.name, status, text)
		}
	}
}

// roles is the admin of the server of a matrix, who gives roles.
func (m *matrix) roles(a *serve.Azure) *roleSite {
	return &roleSite{subscription: a.Subscription, admin: &actor{
		s: m.Server, http: m.http, label: "admin", clientID: m.ClientID, secret: m.Secret, credential: m.Admin(),
	}}
}
