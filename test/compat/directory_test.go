package compat_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// graphClient asks the directory with one token.
type graphClient struct {
	*sdk
	t     *testing.T
	token string
}

func (c graphClient) do(method, path, body string) map[string]any {
	c.t.Helper()
	return c.graphAs(c.t, c.token, method, path, body)
}

// expect asks for something that has to have a value at a key.
func (c graphClient) expect(path, key string, want any) {
	c.t.Helper()
	if got := c.do(http.MethodGet, path, "")[key]; got != want {
		c.t.Errorf("%s: %s is %v, want %v", path, key, got, want)
	}
}

// lists asks for a list that has to have an object, or must not.
func (c graphClient) lists(path, id string, want bool) {
	c.t.Helper()
	if got := listed(c.do(http.MethodGet, path, ""), id); got != want {
		c.t.Errorf("%s has %s: %v", path, id, got)
	}
}

func listed(list map[string]any, id string) bool {
	values, _ := list["value"].([]any)
	return slices.ContainsFunc(values, func(v any) bool {
		o, _ := v.(map[string]any)
		return o["id"] == id
	})
}

// directory does what Microsoft Graph's clients do with applications and people.
func directory(t *testing.T, a *sdk) {
	scope := "https://" + a.Server.Host("graph") + "/.default"
	admin := graphClient{a, t, must(a.Server.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}}))(t).Token}
	applications(admin)
	user := admin.do(http.MethodPost, "/users", `{"displayName":"Bob","userPrincipalName":"bob@drydock.test","mailNickname":"bob",
		"accountEnabled":true,"passwordProfile":{"password":"first password","forceChangePasswordNextSignIn":false}}`)["id"].(string)
	admin.lists("/users?$filter=displayName%20eq%20'Bob'", user, true)
	admin.expect("/users/bob@drydock.test", "id", user)
	admin.do(http.MethodPatch, "/users/"+user, `{"displayName":"Robert"}`)
	admin.expect("/users/"+user, "displayName", "Robert")
	people := graphClient{a, t, a.passwordToken(t, "bob@drydock.test", "first password", scope)}
	people.expect("/me", "id", user)
	people.do(http.MethodGet, "/me/memberOf", "")
	people.do(http.MethodPost, "/me/changePassword", `{"currentPassword":"first password","newPassword":"second password"}`)
	people.token = a.passwordToken(t, "bob@drydock.test", "second password", scope)
	people.do(http.MethodPost, "/me/revokeSignInSessions", "")
	admin.do(http.MethodPost, "/users/"+user+"/revokeSignInSessions", "")

	group := admin.do(http.MethodPost, "/groups", `{"displayName":"releasers","mailEnabled":false,"securityEnabled":true,"mailNickname":"releasers"}`)["id"].(string)
	admin.lists("/groups", group, true)
	admin.expect("/groups/"+group, "displayName", "releasers")
	ids := string(must(json.Marshal(map[string]any{"ids": []string{user, group}}))(t))
	if found := admin.do(http.MethodPost, "/directoryObjects/getByIds", ids); !listed(found, user) || !listed(found, group) {
		t.Errorf("getByIds: %v", found)
	}
	admin.do(http.MethodDelete, "/groups/"+group, "")
	admin.do(http.MethodDelete, "/users/"+user, "")
	admin.lists("/users", user, false)
	admin.lists("/groups", group, false)
}

// applications makes an application with a service principal, gives both secrets and
// takes them away.
func applications(admin graphClient) {
	app := admin.do(http.MethodPost, "/applications", `{"displayName":"deployer"}`)
	byID, byAppID := "/applications/"+app["id"].(string), "/applications(appId='"+app["appId"].(string)+"')"
	admin.do(http.MethodPatch, byID, `{"displayName":"releaser"}`)
	admin.expect(byID, "displayName", "releaser")
	admin.lists("/applications?$filter=displayName%20eq%20'releaser'", app["id"].(string), true)
	principal := admin.do(http.MethodPost, "/servicePrincipals", `{"appId":"`+app["appId"].(string)+`"}`)["id"].(string)
	admin.expect("/servicePrincipals/"+principal, "appId", app["appId"])
	admin.lists("/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'"+app["appId"].(string)+"')", principal, true)
	for _, owner := range []string{byID, "/servicePrincipals/" + principal} {
		secret := admin.do(http.MethodPost, owner+"/addPassword", `{"passwordCredential":{"displayName":"ci"}}`)
		if secret["secretText"] == "" {
			admin.t.Errorf("the secret of %s is %v", owner, secret)
		}
		admin.do(http.MethodPost, owner+"/removePassword", `{"keyId":"`+secret["keyId"].(string)+`"}`)
	}
	admin.do(http.MethodDelete, "/servicePrincipals/"+principal, "")
	admin.lists("/servicePrincipals", principal, false)
	admin.expect(byAppID, "id", app["id"])
	admin.do(http.MethodDelete, byID, "")
	admin.lists("/applications", app["id"].(string), false)
}

// passwordToken signs somebody in with a password.
func (a *sdk) passwordToken(t *testing.T, who, password, scope string) string {
	t.Helper()
	answer := must(a.Server.HTTP().PostForm("https://"+a.Server.Host("login")+"/"+a.Server.Tenant+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"password"}, "client_id": {azureCLI}, "username": {who}, "password": {password}, "scope": {scope},
	}))(t)
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("%s signs in: %s %v", who, answer.Status, err)
	}
	return token.AccessToken
}
