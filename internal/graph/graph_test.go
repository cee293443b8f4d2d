package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/graph"
)

// create registers an application with its service principal and returns both.
func (s *site) create(t *testing.T, name string) (app, sp reply) {
	t.Helper()
	app = s.must(t, 201, http.MethodPost, "/applications", `{"displayName":"`+name+`","keyCredentials":[],"web":{"redirectUris":[]}}`)
	sp = s.must(t, 201, http.MethodPost, "/servicePrincipals", `{"appId":"`+app.text("appId")+`","accountEnabled":true}`)
	return app, sp
}

// The way of az's create-for-rbac, and back.
func TestServicePrincipalLives(t *testing.T) {
	t.Parallel()
	s := start(t)
	app, sp := s.create(t, "ci")
	if app.text("id") == sp.text("id") || app.text("appId") != sp.text("appId") || sp.text("displayName") != "ci" ||
		sp.text("servicePrincipalType") != "Application" || sp.text("appOwnerOrganizationId") != s.Tenant {
		t.Errorf("%v\n%v", app.body, sp.body)
	}
	added := s.must(t, 200, http.MethodPost, "/applications/"+app.text("id")+"/addPassword",
		`{"passwordCredential":{"displayName":"rbac","startDateTime":"`+time.Now().UTC().Format(time.RFC3339)+`","endDateTime":"`+time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339)+`"}}`)
	secret := added.text("secretText")
	if len(secret) < 30 || added.text("keyId") == "" || added.text("displayName") != "rbac" || !strings.HasPrefix(secret, added.text("hint")) {
		t.Errorf("%v", added.body)
	}
	c := auth.Credentials{AppID: app.text("appId"), Secret: secret}
	s.Token(t, c)
	for _, path := range []string{
		"/servicePrincipals/" + sp.text("id"), "/servicePrincipals(appId='" + app.text("appId") + "')",
		"/applications/" + app.text("id"), "/applications(appId='" + strings.ToUpper(app.text("appId")) + "')",
		"https://graph.drydock.test/beta/servicePrincipals/" + strings.ToUpper(sp.text("id")),
	} {
		a := s.must(t, 200, http.MethodGet, path, "")
		passwords := a.list("passwordCredentials")
		if a.text("appId") != app.text("appId") || len(passwords) != 1 || passwords[0]["keyId"] != added.text("keyId") || passwords[0]["secretText"] != nil {
			t.Errorf("%s: %v", path, a.body)
		}
	}
	s.must(t, 204, http.MethodPatch, "/applications/"+app.text("id"), `{"displayName":"build"}`)
	if a := s.must(t, 200, http.MethodGet, "/servicePrincipals/"+sp.text("id")+"?$select=displayName", ""); a.text("displayName") != "build" || a.text("id") != "" {
		t.Errorf("%v", a.body)
	}
	s.must(t, 204, http.MethodPost, "/servicePrincipals/"+sp.text("id")+"/removePassword", `{"keyId":"`+added.text("keyId")+`"}`)
	if a := s.do(t, s.token, http.MethodPost, "/applications/"+app.text("id")+"/removePassword", `{"keyId":"`+added.text("keyId")+`"}`); a.status != 400 || !strings.Contains(a.body["error"].(map[string]any)["message"].(string), "No password credential found") {
		t.Errorf("%d %v", a.status, a.body)
	}
	s.must(t, 204, http.MethodDelete, "/servicePrincipals/"+sp.text("id"), "")
	s.must(t, 404, http.MethodGet, "/servicePrincipals/"+sp.text("id"), "")
	s.must(t, 404, http.MethodGet, "/servicePrincipals(appId='"+app.text("appId")+"')", "")
	s.must(t, 200, http.MethodGet, "/applications/"+app.text("id"), "")
	again := s.must(t, 201, http.MethodPost, "/servicePrincipals", `{"appId":"`+app.text("appId")+`"}`)
	if again.text("id") == sp.text("id") {
		t.Error("a new service principal has the id of the one that was deleted")
	}
	s.must(t, 204, http.MethodDelete, "/applications/"+app.text("id"), "")
	s.must(t, 404, http.MethodGet, "/applications/"+app.text("id"), "")
	s.must(t, 404, http.MethodGet, "/servicePrincipals/"+again.text("id"), "")
}

func TestLists(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, one := s.create(t, "ci one")
	s.create(t, "ci two")
	only := s.must(t, 201, http.MethodPost, "/applications", `{"displayName":"ci three"}`)
	task := s.Scope("g", "registries", "contoso", "tasks", "hello")
	identity := drydock.Principal{ID: uuid.NewString(), AppID: uuid.NewString(), Kind: drydock.ManagedIdentity, Name: "contoso/hello", Owner: task, Created: time.Now()}
	if err := s.Store.PutPrincipal(t.Context(), identity); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"/servicePrincipals": 4, // with the admin
		"/applications":      4,
		"/servicePrincipals?$filter=displayName eq 'CI one'":                                       1,
		"/servicePrincipals?$filter=startswith(displayName,'ci')":                                  2,
		"/applications?$filter=startswith(displayName,'ci')":                                       3,
		"/servicePrincipals?$filter=displayName eq 'ci three'":                                     0,
		"/applications?$filter=appId eq '" + only.text("appId") + "'":                              1,
		"/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '" + one.text("appId") + "')": 1,
		"/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '" + one.text("id") + "')":    0,
		"/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '" + identity.AppID + "')":    1,
		"/servicePrincipals?$filter=servicePrincipalType eq 'ManagedIdentity'":                     1,
		"/servicePrincipals?$filter=alternativeNames/any(x:x eq '" + task.String() + "')":          1,
		"/applications?$filter=identifierUris/any(s:s eq 'api://x')":                               0,
		"/users?$filter=userPrincipalName eq 'a@b.c'":                                              0,
		"/groups": 0,
	} {
		if got := len(s.must(t, 200, http.MethodGet, query, "").list("value")); got != want {
			t.Errorf("%s: %d", query, got)
		}
	}
	for _, query := range []string{"$filter=displayName eq 'x';drop", "$filter=%zz"} {
		if a := s.must(t, 400, http.MethodGet, "/servicePrincipals?"+query, ""); a.code() != "Request_UnsupportedQuery" {
			t.Errorf("%s: %v", query, a.body)
		}
	}
	seen := map[string]bool{}
	pages := 0
	for next := "/servicePrincipals?$top=3&$count=true&$select=id"; next != ""; pages++ {
		page := s.must(t, 200, http.MethodGet, next, "")
		for _, item := range page.list("value") {
			if len(item) != 1 {
				t.Errorf("%v", item)
			}
			seen[item["id"].(string)] = true
		}
		if page.body["@odata.count"] != 4.0 {
			t.Errorf("%v", page.body)
		}
		next = page.text("@odata.nextLink")
	}
	if len(seen) != 4 || pages != 2 {
		t.Errorf("%d in %d pages", len(seen), pages)
	}
}

func TestObjectsByID(t *testing.T) {
	t.Parallel()
	s := start(t)
	app, sp := s.create(t, "ci")
	ids := fmt.Sprintf(`["%s","%s","%s"]`, app.text("id"), sp.text("id"), uuid.NewString())
	for types, want := range map[string]string{
		`["user","group","servicePrincipal"]`: "#microsoft.graph.servicePrincipal",
		`["application"]`:                     "#microsoft.graph.application",
		`["user"]`:                            "",
		`[]`:                                  "#microsoft.graph.application #microsoft.graph.servicePrincipal",
	} {
		var got []string
		for _, item := range s.must(t, 200, http.MethodPost, "/directoryObjects/getByIds", `{"ids":`+ids+`,"types":`+types+`}`).list("value") {
			got = append(got, item["@odata.type"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", types, got)
		}
	}
}

// Owners of the subscription may do everything, others ask about themselves.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, other := s.create(t, "other")
	for _, test := range []struct {
		role  string
		scope drydock.ResourceID
		owner bool
	}{
		{"", s.Scope(""), false},
		{auth.ReaderRole, s.Scope(""), false},
		{auth.ContributorRole, s.Scope(""), false},
		{auth.OwnerRole, s.Scope("g"), false},
		{auth.OwnerRole, s.Scope("g", "registries", "contoso"), false},
		{auth.OwnerRole, s.Scope(""), true},
	} {
		c := s.Principal(t, test.role, test.scope)
		self, err := s.Store.PrincipalByAppID(t.Context(), c.AppID)
		if err != nil {
			t.Fatal(err)
		}
		token := s.graphToken(t, c)
		ask := func(allowed bool, method, path, body string) {
			t.Helper()
			a := s.do(t, token, method, path, body)
			if allowed && a.status >= 400 || !allowed && (a.status != 403 || a.code() != "Authorization_RequestDenied") {
				t.Errorf("%s at %s: %s %s: %d %v", test.role, test.scope, method, path, a.status, a.body)
			}
		}
		ask(true, http.MethodGet, "/servicePrincipals/"+self.ID, "")
		ask(true, http.MethodGet, "/servicePrincipals?$filter=appId eq '"+c.AppID+"'", "")
		ask(true, http.MethodGet, "/applications(appId='"+c.AppID+"')", "")
		ask(true, http.MethodPost, "/directoryObjects/getByIds", `{"ids":["`+self.ID+`"]}`)
		ask(test.owner, http.MethodGet, "/servicePrincipals", "")
		ask(test.owner, http.MethodGet, "/servicePrincipals/"+other.text("id"), "")
		ask(test.owner, http.MethodGet, "/servicePrincipals?$filter=appId eq '"+other.text("appId")+"'", "")
		ask(test.owner, http.MethodGet, "/servicePrincipals?$filter=appId eq '"+uuid.NewString()+"'", "")
		ask(test.owner, http.MethodPost, "/directoryObjects/getByIds", `{"ids":["`+self.ID+`","`+other.text("id")+`"]}`)
		ask(test.owner, http.MethodGet, "/users", "")
		ask(test.owner, http.MethodPost, "/applications", `{"displayName":"x"}`)
		ask(test.owner, http.MethodPost, "/servicePrincipals/"+self.ID+"/addPassword", `{}`)
		ask(test.owner, http.MethodPost, "/applications(appId='"+other.text("appId")+"')/addPassword", `{}`)
		ask(test.owner, http.MethodDelete, "/servicePrincipals/"+self.ID, "")
		if !test.owner && s.do(t, token, http.MethodGet, "/servicePrincipals/"+uuid.NewString(), "").status != 403 {
			t.Error("it can be found out what there is not")
		}
	}
}

func TestEveryRouteNeedsATokenForGraph(t *testing.T) {
	t.Parallel()
	s := start(t)
	nobody := s.graphToken(t, s.Principal(t, "", s.Scope("")))
	management := s.Token(t, s.Admin)
	routes, self := graph.Routes()
	for _, rt := range routes {
		path := strings.ReplaceAll(rt[1], "{id}", uuid.NewString())
		none := s.do(t, "", rt[0], path, "{}")
		if none.status != 401 || none.code() != "InvalidAuthenticationToken" || none.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%v without a token: %d %v", rt, none.status, none.body)
		}
		if a := s.do(t, management, rt[0], path, "{}"); a.status != 401 {
			t.Errorf("%v with a token for the resource manager: %d %v", rt, a.status, a.body)
		}
		if a := s.do(t, nobody, rt[0], path, "{}"); !self[rt] && a.status != 403 {
			t.Errorf("%v without rights: %d %v", rt, a.status, a.body)
		}
	}
	if a := s.do(t, s.token, http.MethodGet, "/me", ""); a.status != 400 {
		t.Errorf("%d %v", a.status, a.body)
	}
}

// An hour later a token is good for nothing, in the directory and in the resource
// manager.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	s := start(t)
	management := s.Token(t, s.Admin)
	s.must(t, 200, http.MethodGet, "/applications", "")
	s.Pass(2 * time.Hour)
	if a := s.do(t, s.token, http.MethodGet, "/applications", ""); a.status != 401 || a.code() != "InvalidAuthenticationToken" || !strings.Contains(a.header.Get("WWW-Authenticate"), "expired at") {
		t.Errorf("the directory: %d %v", a.status, a.body)
	}
	if a := s.Do(t, management, http.MethodGet, "/subscriptions", ""); a.Status != 401 || a.Code() != "ExpiredAuthenticationToken" {
		t.Errorf("the resource manager: %d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.Token(t, s.Admin), http.MethodGet, "/subscriptions", ""); a.Status != 200 {
		t.Errorf("a new token: %d %v", a.Status, a.Body)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	s := start(t)
	app, sp := s.create(t, "ci")
	add := "/applications/" + app.text("id") + "/addPassword"
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "https://graph.drydock.test/v2.0/users", "", 400, "not a version"},
		{"GET", "https://graph.drydock.test/", "", 400, "not a version"},
		{"GET", "/devices", "", 400, "docs/graph.md"},
		{"GET", "/applications/" + app.text("id") + "/owners", "", 400, "docs/graph.md"},
		{"PUT", "/applications", "{}", 405, "GET, POST"},
		{"GET", "/applications/%ff", "", 404, "no such object"},
		{"GET", "/servicePrincipals/" + app.text("id"), "", 404, "no such object"},
		{"GET", "/applications/" + sp.text("id"), "", 404, "no such object"},
		{"GET", "/servicePrincipals/x' or 'a' eq 'a", "", 404, "no such object"},
		{"GET", "/servicePrincipals?$filter=x", "", 400, "no field 'x'"},
		{"GET", "/servicePrincipals?$top=0", "", 400, "$top"},
		{"GET", "/servicePrincipals?$search=x", "", 400, "'$search'"},
		{"GET", "/servicePrincipals/" + sp.text("id") + "?$expand=owners", "", 400, "'$expand'"},
		{"POST", "/applications", "", 400, "not one JSON object"},
		{"POST", "/applications", "[]", 400, "not one JSON object"},
		{"POST", "/applications", "null", 400, "not one JSON object"},
		{"POST", "/applications", "{} {}", 400, "not one JSON object"},
		{"POST", "/applications", `{"displayName":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "larger"},
		{"POST", "/applications", "{}", 400, "the name of an application"},
		{"POST", "/applications", `{"displayName":1}`, 400, "not a text"},
		{"POST", "/applications", `{"displayName":"x","keyCredentials":[{}]}`, 400, "secrets"},
		{"POST", "/applications", `{"displayName":"x","identifierUris":["api://x"]}`, 400, "appId"},
		{"PATCH", "/applications/" + app.text("id"), `{"displayName":"a\nb"}`, 400, "the name of an application"},
		{"POST", "/servicePrincipals", `{"appId":"` + uuid.NewString() + `"}`, 400, "no application"},
		{"POST", "/servicePrincipals", `{}`, 400, "no application"},
		{"POST", "/servicePrincipals", `{"appId":"` + app.text("appId") + `"}`, 409, "already"},
		{"POST", "/servicePrincipals", `{"appId":"x","accountEnabled":false}`, 400, "disabled"},
		{"POST", add, `{"passwordCredential":{"endDateTime":"tomorrow"}}`, 400, "not a time"},
		{"POST", add, `{"passwordCredential":{"endDateTime":"2001-01-01T00:00:00Z"}}`, 400, "has passed"},
		{"POST", add, `{"passwordCredential":{"endDateTime":"2299-12-31T00:00:00Z"}}`, 400, "a hundred years"},
		{"POST", add, `{"passwordCredential":{"startDateTime":"2299-12-31T00:00:00Z"}}`, 400, "in the future"},
		{"POST", add, `{"passwordCredential":{"displayName":[]}}`, 400, "not a text"},
		{"POST", "/directoryObjects/getByIds", `{}`, 400, "'ids'"},
		{"POST", "/directoryObjects/getByIds", `{"ids":[1]}`, 400, "'ids'"},
	} {
		a := s.do(t, s.token, test.method, test.path, test.body)
		e, _ := a.body["error"].(map[string]any)
		message, _ := e["message"].(string)
		if a.status != test.status || !strings.Contains(message, test.says) {
			t.Errorf("%s %s %.60s: %d %v", test.method, test.path, test.body, a.status, a.body)
		}
		inner, _ := e["innerError"].(map[string]any)
		if inner["client-request-id"] != "mine" || inner["request-id"] != a.header.Get("Request-Id") || e["code"] == "" {
			t.Errorf("%s %s: %v", test.method, test.path, a.body)
		}
	}
	admin := s.must(t, 200, http.MethodGet, "/servicePrincipals(appId='"+s.Admin.AppID+"')", "")
	s.must(t, 409, http.MethodDelete, "/servicePrincipals/"+admin.text("id"), "")
}

// Secrets that are added at the same time are all kept.
func TestSecretsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	app, _ := s.create(t, "ci")
	var adding sync.WaitGroup
	answers := make([]reply, 8)
	for i := range answers {
		adding.Go(func() {
			answers[i] = s.do(t, s.token, http.MethodPost, "/applications/"+app.text("id")+"/addPassword", `{}`)
		})
	}
	adding.Wait()
	for _, a := range answers {
		if a.status != 200 {
			t.Fatalf("%d %v", a.status, a.body)
		}
		s.Token(t, auth.Credentials{AppID: app.text("appId"), Secret: a.text("secretText")})
	}
	s.must(t, 409, http.MethodPost, "/applications/"+app.text("id")+"/addPassword", `{}`)
	text, err := json.Marshal(s.must(t, 200, http.MethodGet, "/applications", "").body)
	if err != nil || strings.Contains(string(text), answers[0].text("secretText")) {
		t.Errorf("a list shows a secret: %s, %v", text, err)
	}
}
