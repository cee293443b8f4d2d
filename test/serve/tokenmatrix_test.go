package serve_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// deed is a request to a registry, and what it takes to be let through.
type deed struct {
	name, method, path string // {repo} and {digest} stand for what there is
	needs              []string
	body               string
}

const catalog = "catalog"

// deeds are all kinds of requests. Those that would destroy something name what
// is not there: who may, is told so.
func deeds() []deed {
	const none = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	return []deed{
		{"sign in", "GET", "/v2/", nil, ""},
		{"pull a manifest", "GET", "/v2/{repo}/manifests/v1", []string{"pull"}, ""},
		{"ask for a manifest", "HEAD", "/v2/{repo}/manifests/v1", []string{"pull"}, ""},
		{"pull a blob", "GET", "/v2/{repo}/blobs/" + none, []string{"pull"}, ""},
		{"list referrers", "GET", "/v2/{repo}/referrers/{digest}", []string{"pull"}, ""},
		{"list tags", "GET", "/v2/{repo}/tags/list", []string{"metadata_read"}, ""},
		{"start a push", "POST", "/v2/{repo}/blobs/uploads/", []string{"pull", "push"}, ""},
		{"push a manifest", "PUT", "/v2/{repo}/manifests/v2", []string{"pull", "push"}, "{}"},
		{"delete a manifest", "DELETE", "/v2/{repo}/manifests/" + none, []string{"delete"}, ""},
		{"list repositories", "GET", "/v2/_catalog", []string{catalog}, ""},
		{"list repositories as ACR", "GET", "/acr/v1/_catalog", []string{catalog}, ""},
		{"show a repository", "GET", "/acr/v1/{repo}", []string{"metadata_read"}, ""},
		{"show tags", "GET", "/acr/v1/{repo}/_tags", []string{"metadata_read"}, ""},
		{"show a tag", "GET", "/acr/v1/{repo}/_tags/v1", []string{"metadata_read"}, ""},
		{"show manifests", "GET", "/acr/v1/{repo}/_manifests", []string{"metadata_read"}, ""},
		{"show a manifest", "GET", "/acr/v1/{repo}/_manifests/{digest}", []string{"metadata_read"}, ""},
		{"change a repository", "PATCH", "/acr/v1/{repo}", []string{"metadata_write"}, `{"listEnabled":true}`},
		{"change a tag", "PATCH", "/acr/v1/{repo}/_tags/v1", []string{"metadata_write"}, `{"listEnabled":true}`},
		{"change a manifest", "PATCH", "/acr/v1/{repo}/_manifests/{digest}", []string{"metadata_write"}, `{"listEnabled":true}`},
		{"untag", "DELETE", "/acr/v1/{repo}/_tags/none", []string{"delete"}, ""},
		{"delete a manifest as ACR", "DELETE", "/acr/v1/{repo}/_manifests/" + none, []string{"delete"}, ""},
	}
}

// asker is somebody who asks, and what they may do in a repository.
type asker struct {
	name, user, password string
	may                  func(registry, repository string) []string
	nobody               func(registry string) bool // cannot even sign in
	wrong                bool                       // nowhere
}

// matrix is a server with the registries that are asked.
type matrix struct {
	*serve.Server
	t      *testing.T
	http   *http.Client
	digest string
}

var (
	everything = []string{"pull", "push", "delete", "metadata_read", "metadata_write", catalog}
	reading    = []string{"pull", "metadata_read", catalog}
)

// verbs are what the actions of scope maps let through.
var verbs = map[string]string{
	"content/read": "pull", "content/write": "push", "content/delete": "delete", "metadata/read": "metadata_read", "metadata/write": "metadata_write",
}

// Every kind of request, by everybody, on repositories that are theirs and not,
// in their registry and in others: by Basic credentials, and by the token that
// they get for it.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hubWith(t, images.Curl)}})
	a := s.Azure()
	for _, registry := range []string{"contoso", "fabrikam", "openreg"} {
		a.CreateRegistry(registry)
	}
	m := matrix{Server: s, t: t, http: s.HTTP()}
	for _, registry := range []string{"contoso", "fabrikam", "openreg"} {
		for _, repository := range []string{"team/app", "team2", "other"} {
			m.digest = push(t, s, s.LoginServer(registry)+"/"+repository+":v1")
		}
	}
	all := m.askers(a)
	for _, who := range all {
		for _, registry := range []string{"contoso", "fabrikam", "openreg"} {
			for _, repository := range []string{"team/app", "team2", "other"} {
				// To find out that a password is wrong takes long on purpose.
				once := who.wrong && (registry != "contoso" || repository != "other")
				if once || repository == "team2" && !strings.Contains(who.name, "team") {
					continue
				}
				m.ask(who, registry, repository)
			}
		}
	}
}

// askers makes all kinds of credentials.
func (m *matrix) askers(a *serve.Azure) []asker {
	maker := tokenMaker{a, m.t}
	maker.put("contoso", `{"location":"here","sku":{"name":"Premium"},"properties":{"adminUserEnabled":true}}`)
	maker.put("openreg", `{"location":"here","sku":{"name":"Premium"},"properties":{"anonymousPullEnabled":true}}`)
	soon, lasting := m.expiring(maker)
	site, contoso := m.roles(a), registryID(a, "contoso")
	never := func(string) bool { return false }
	list := []asker{{name: "nobody", may: func(registry, _ string) []string {
		if registry == "openreg" {
			return []string{"pull", "metadata_read"}
		}
		return nil
	}, nobody: func(registry string) bool { return registry != "openreg" }}}
	list = append(list, asker{
		name: "the owner of all", user: m.ClientID, password: m.Secret, nobody: never,
		may: func(string, string) []string { return everything },
	})
	list = append(list, m.adminUser(a), m.wrong("a wrong password", m.ClientID, "wrong"), m.wrong("an unknown name", "stranger", "wrong"))
	list = append(append(list, m.principals(site, contoso)...), m.people(site, contoso)...)
	list = append(append(list, m.inside(a, site, contoso), soon, lasting), m.tokens(maker)...)
	m.expired(soon)
	return list
}

// wrong is somebody whose credentials are no good anywhere, also where none
// are needed.
func (m *matrix) wrong(name, user, password string) asker {
	return asker{
		name: name, user: user, password: password, wrong: true,
		may: func(string, string) []string { return nil }, nobody: func(string) bool { return true },
	}
}

func (m *matrix) adminUser(a *serve.Azure) asker {
	_, answer := a.Post("/registries/contoso/listCredentials", "")
	var c struct{ Passwords []struct{ Value string } }
	if err := json.Unmarshal([]byte(answer), &c); err != nil || len(c.Passwords) != 2 {
		m.t.Fatal(answer)
	}
	return m.of("contoso", "the admin user", "contoso", c.Passwords[1].Value, func(string) []string { return everything })
}

// of is somebody known to one registry alone.
func (m *matrix) of(registry, name, user, password string, may func(repository string) []string) asker {
	return asker{
		name: name, user: user, password: password,
		may: func(in, repository string) []string {
			if in != registry {
				return nil
			}
			return may(repository)
		},
		nobody: func(in string) bool { return in != registry },
	}
}

// registryID returns the id of a registry.
func registryID(a *serve.Azure, name string) string {
	return "/subscriptions/" + a.Subscription + "/resourceGroups/" + serve.Group + "/providers/Microsoft.ContainerRegistry/registries/" + name
}

// principals makes service principals with a role in contoso.
func (m *matrix) principals(site *roleSite, contoso string) []asker {
	var list []asker
	for role, may := range map[string][]string{
		"Reader": reading, "AcrPull": reading, "AcrPush": pushing, "AcrDelete": {"delete"}, "": nil,
	} {
		p := site.actor(m.t, "role "+role, role, contoso)
		list = append(list, asker{
			name: "a service principal with " + role, user: p.clientID, password: p.secret, nobody: func(string) bool { return false },
			may: func(registry, _ string) []string {
				if registry != "contoso" {
					return nil
				}
				return may
			},
		})
	}
	return list
}

// tokens makes tokens of contoso: one for each action, with names that match and
// names that don't, for the scope maps of the system, and ones that are no good.
func (m *matrix) tokens(maker tokenMaker) []asker {
	var list []asker
	add := func(name, repositories string, actions []string, covers func(string) bool) {
		var rows, may []string
		for _, action := range actions {
			rows, may = append(rows, "repositories/"+repositories+"/"+action), append(may, verbs[action])
		}
		if repositories == "*" && slices.Contains(actions, "metadata/read") {
			may = append(may, catalog)
		}
		password := maker.scoped("contoso", name, rows...)[0]
		list = append(list, m.of("contoso", name, name, password, func(repository string) []string {
			if !covers(repository) {
				return nil
			}
			return may
		}))
	}
	app := func(repository string) bool { return repository == "team/app" }
	allActions := slices.Sorted(func(yield func(string) bool) {
		for action := range verbs {
			if !yield(action) {
				return
			}
		}
	})
	for _, action := range allActions {
		add("only-"+strings.ReplaceAll(action, "/", "-"), "team/app", []string{action}, app)
	}
	add("pusher", "team/app", []string{"content/read", "content/write"}, app)
	add("all-of-one", "team/app", allActions, app)
	add("all-of-team-folder", "team/*", allActions, app)
	add("all-of-team-names", "team*", allActions, func(repository string) bool { return strings.HasPrefix(repository, "team") })
	add("all-of-all", "*", allActions, func(string) bool { return true })
	add("nothing", "team/app", nil, app)
	for name, may := range map[string][]string{
		"_repositories_pull": {"pull"}, "_repositories_push": {"pull", "push"}, "_repositories_pull_metadata_read": reading,
		"_repositories_push_metadata_write": pushing, "_repositories_admin": everything,
	} {
		password := maker.token("contoso", "system"+name, name)[1]
		list = append(list, m.of("contoso", name, "system"+name, password, func(string) []string { return may }))
	}
	disabled := maker.token("contoso", "disabled", "_repositories_admin")[0]
	maker.put("contoso/tokens/disabled", `{"properties":{"status":"disabled","scopeMapId":"`+maker.scopeMap("contoso", "_repositories_admin")+`"}}`)
	list = append(list, m.wrong("a disabled token", "disabled", disabled), m.wrong("another token's password", "pusher", disabled))
	foreign := maker.token("fabrikam", "foreigner", "_repositories_admin")[0]
	return append(list, m.of("fabrikam", "a token of fabrikam", "foreigner", foreign, func(string) []string { return everything }))
}

// ask does all deeds and compares what became of them with what should.
func (m *matrix) ask(who asker, registry, repository string) {
	m.t.Helper()
	may := who.may(registry, repository)
	bearer, ok := m.token(who, registry, "repository:"+repository+":pull,push,delete,metadata_read,metadata_write registry:catalog:*")
	if ok == who.nobody(registry) {
		m.t.Errorf("%s in %s: token %v", who.name, registry, ok)
	}
	for _, d := range deeds() {
		allowed := !who.nobody(registry)
		for _, need := range d.needs {
			allowed = allowed && slices.Contains(may, need)
		}
		basic := allowed && who.user != ""
		if status := m.do(who, "", d, registry, repository); (status != 401 && status != 403) != basic {
			m.t.Errorf("%s, by a password: %s in %s/%s is %d", who.name, d.name, registry, repository, status)
		}
		if status := m.do(asker{}, bearer, d, registry, repository); ok && (status != 401 && status != 403) != allowed {
			m.t.Errorf("%s, by a token: %s in %s/%s is %d", who.name, d.name, registry, repository, status)
		}
	}
}

// token asks for an access token.
func (m *matrix) token(who asker, registry, scope string) (string, bool) {
	m.t.Helper()
	r := m.request("GET", registry, "/oauth2/token?"+url.Values{"service": {m.LoginServer(registry)}, "scope": strings.Fields(scope)}.Encode(), "")
	if who.user != "" {
		r.SetBasicAuth(who.user, who.password)
	}
	status, text := m.send(r)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || status != 200 && status != 401 {
		m.t.Fatalf("%s in %s: %d %s", who.name, registry, status, text)
	}
	return answer.AccessToken, status == 200
}

func (m *matrix) do(who asker, bearer string, d deed, registry, repository string) int {
	m.t.Helper()
	r := m.request(d.method, registry, strings.NewReplacer("{repo}", repository, "{digest}", m.digest).Replace(d.path), d.body)
	switch {
	case bearer != "":
		r.Header.Set("Authorization", "Bearer "+bearer)
	case who.user != "":
		r.SetBasicAuth(who.user, who.password)
	}
	status, _ := m.send(r)
	return status
}

func (m *matrix) request(method, registry, path, body string) *http.Request {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), method, "https://"+m.LoginServer(registry)+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

func (m *matrix) send(r *http.Request) (int, []byte) {
	m.t.Helper()
	answer, err := m.http.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return answer.StatusCode, text
}
