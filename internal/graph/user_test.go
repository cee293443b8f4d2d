package graph_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/arm/armtest"
)

const (
	alice    = `alice@drydock.test`
	newAlice = `{"accountEnabled":true,"displayName":"Alice","userPrincipalName":"Alice@drydock.test","mailNickname":"alice",
		"passwordProfile":{"password":"correct horse","forceChangePasswordNextSignIn":false}}`
)

// personToken signs in with a name and a password, for the directory.
func (s *site) personToken(t *testing.T, login, password string) string {
	t.Helper()
	answer, err := s.Client.PostForm(s.URL+"/adfs/oauth2/token", url.Values{
		"grant_type": {"password"}, "client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "username": {login}, "password": {password}, "scope": {armtest.Graph + "/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		Token string `json:"access_token"`
	}
	if decode(t, answer, &body); answer.StatusCode != http.StatusOK {
		return ""
	}
	return body.Token
}

func TestUsers(t *testing.T) {
	t.Parallel()
	s := start(t)
	made := s.must(t, http.StatusCreated, http.MethodPost, "/users", newAlice)
	id := made.text("id")
	if made.text("userPrincipalName") != alice || made.body["accountEnabled"] != true || made.text("userType") != "Member" {
		t.Errorf("made %v", made.body)
	}
	for _, path := range []string{
		"/users/" + id, "/users/ALICE@drydock.test",
		"/users?$filter=userPrincipalName eq 'alice@drydock.test'", "/users?$filter=startswith(displayName,'al') and accountEnabled eq true",
	} {
		found := s.must(t, http.StatusOK, http.MethodGet, path, "")
		if list := found.list("value"); found.text("id") != id && (len(list) != 1 || list[0]["id"] != id) {
			t.Errorf("%s: %v", path, found.body)
		}
	}
	byID := s.must(t, http.StatusOK, http.MethodPost, "/directoryObjects/getByIds", `{"ids":["`+id+`"],"types":["user"]}`)
	if list := byID.list("value"); len(list) != 1 || list[0]["@odata.type"] != "#microsoft.graph.user" {
		t.Errorf("by id: %v", byID.body)
	}
	for name, body := range map[string]string{
		"the same name":   newAlice,
		"no password":     `{"displayName":"B","userPrincipalName":"b@x.test"}`,
		"a short one":     `{"displayName":"B","userPrincipalName":"b@x.test","passwordProfile":{"password":"x"}}`,
		"no name":         `{"userPrincipalName":"b@x.test","passwordProfile":{"password":"correct horse"}}`,
		"a name for mail": `{"displayName":"B","userPrincipalName":"b","passwordProfile":{"password":"correct horse"}}`,
		"a strange value": `{"displayName":"B","userPrincipalName":"b@x.test","accountEnabled":"yes","passwordProfile":{"password":"correct horse"}}`,
	} {
		if a := s.do(t, s.token, http.MethodPost, "/users", body); a.status != http.StatusBadRequest || strings.Contains(a.text("message"), "horse") {
			t.Errorf("%s: %d %v", name, a.status, a.body)
		}
	}

	token := s.personToken(t, alice, "correct horse")
	if a := s.do(t, token, http.MethodGet, "/me", ""); a.status != http.StatusOK || a.text("id") != id {
		t.Errorf("/me: %d %v", a.status, a.body)
	}
	if a := s.do(t, token, http.MethodGet, "/me/memberOf", ""); a.status != http.StatusOK || len(a.list("value")) != 0 {
		t.Errorf("/me/memberOf: %d %v", a.status, a.body)
	}
	if a := s.do(t, s.token, http.MethodGet, "/me", ""); a.status != http.StatusBadRequest {
		t.Errorf("/me of a service principal: %d", a.status)
	}
	for path, method := range map[string]string{"/users": http.MethodPost, "/users/" + id: http.MethodPatch, "/users/" + id + "/revokeSignInSessions": http.MethodPost, "/groups": http.MethodPost, "/servicePrincipals": http.MethodGet} {
		if a := s.do(t, token, method, path, newAlice); a.status != http.StatusForbidden {
			t.Errorf("%s %s without a role: %d", method, path, a.status)
		}
	}
	if a := s.do(t, token, http.MethodGet, "/users/"+alice, ""); a.status != http.StatusOK {
		t.Errorf("about itself: %d", a.status)
	}

	if a := s.do(t, token, http.MethodPost, "/me/changePassword", `{"currentPassword":"wrong","newPassword":"battery staple"}`); a.status != http.StatusBadRequest {
		t.Errorf("with a wrong password: %d", a.status)
	}
	if a := s.do(t, token, http.MethodPost, "/me/changePassword", `{"currentPassword":"correct horse","newPassword":"battery staple"}`); a.status != http.StatusNoContent {
		t.Errorf("changing the password: %d %v", a.status, a.body)
	}
	if s.personToken(t, alice, "correct horse") != "" || s.personToken(t, alice, "battery staple") == "" {
		t.Error("the password was not changed")
	}
	s.must(t, http.StatusNoContent, http.MethodPatch, "/users/"+id, `{"displayName":"Alice B.","passwordProfile":{"password":"third one is it"}}`)
	if s.personToken(t, alice, "third one is it") != "" {
		t.Error("a password that has to be changed signs in")
	}
	s.must(t, http.StatusNoContent, http.MethodPatch, "/users/"+id, `{"passwordProfile":{"forceChangePasswordNextSignIn":false}}`)
	if s.personToken(t, alice, "third one is it") == "" {
		t.Error("and one that has not to be does not")
	}
	s.must(t, http.StatusOK, http.MethodPost, "/users/"+id+"/revokeSignInSessions", "")
	s.must(t, http.StatusBadRequest, http.MethodPatch, "/users/"+id, `{"userPrincipalName":"other@drydock.test"}`)
	s.must(t, http.StatusNoContent, http.MethodPatch, "/users/"+id, `{"accountEnabled":false}`)
	if a := s.do(t, token, http.MethodGet, "/me", ""); a.status != http.StatusUnauthorized {
		t.Errorf("who is disabled asks: %d", a.status)
	}
	s.must(t, http.StatusNoContent, http.MethodDelete, "/users/"+alice, "")
	s.must(t, http.StatusNotFound, http.MethodGet, "/users/"+id, "")
}

func TestGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	made := s.must(t, http.StatusCreated, http.MethodPost, "/groups", `{"displayName":"platform","mailEnabled":false,"mailNickname":"platform","securityEnabled":true}`)
	again := s.must(t, http.StatusCreated, http.MethodPost, "/groups", `{"displayName":"platform"}`)
	if made.text("id") == "" || made.text("id") != again.text("id") {
		t.Errorf("made %v, then %v", made.body, again.body)
	}
	found := s.must(t, http.StatusOK, http.MethodGet, "/groups?$filter=displayName eq 'Platform'", "").list("value")
	if len(found) != 1 || found[0]["id"] != made.text("id") {
		t.Errorf("found %v", found)
	}
	byID := s.must(t, http.StatusOK, http.MethodPost, "/directoryObjects/getByIds", `{"ids":["`+made.text("id")+`"]}`)
	if list := byID.list("value"); len(list) != 1 || list[0]["@odata.type"] != "#microsoft.graph.group" {
		t.Errorf("by id: %v", byID.body)
	}
	s.must(t, http.StatusNotFound, http.MethodGet, "/users/"+made.text("id"), "")
	s.must(t, http.StatusNoContent, http.MethodDelete, "/groups/"+made.text("id"), "")
	if list := s.must(t, http.StatusOK, http.MethodGet, "/groups", "").list("value"); len(list) != 0 {
		t.Errorf("left over: %v", list)
	}
}
