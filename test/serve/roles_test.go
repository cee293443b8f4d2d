package serve_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/uuid"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// actor is a service principal that has signed in.
type actor struct {
	s                *serve.Server
	http             *http.Client
	credential       azcore.TokenCredential
	label            string // of what it makes
	clientID, secret string
	objectID         string
}

// send sends a request with the actor's token for a host, and returns the
// status and the answer.
func (a *actor) send(t *testing.T, host, method, path, body string) (int, map[string]any) {
	t.Helper()
	token, err := a.credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + a.s.Host(host) + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+a.s.Host(host)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.Token)
	return a.do(t, r)
}

func (a *actor) do(t *testing.T, r *http.Request) (int, map[string]any) {
	t.Helper()
	answer, err := a.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if len(text) > 0 {
		_ = json.Unmarshal(text, &doc) // what is no JSON has no error code
	}
	return answer.StatusCode, doc
}

// arm asks the resource manager, and reports whether the actor may. Every answer
// that is neither a success nor the refusal of one who lacks a role is a fault.
func (a *actor) arm(t *testing.T, method, path, body string) bool {
	t.Helper()
	status, doc := a.send(t, "management", method, path+"?api-version=2023-07-01", body)
	fault, _ := doc["error"].(map[string]any)
	switch {
	case status == http.StatusForbidden && fault["code"] == "AuthorizationFailed":
		return false
	case status >= 300:
		t.Errorf("%s %s: %d %v", method, path, status, doc)
	}
	return true
}

// roleSite is a server with two registries in two groups, each with an image and
// a run.
type roleSite struct {
	admin        *actor
	subscription string
	image        v1.Image
	run          string
}

func (r *roleSite) registry(name string) string {
	return r.group(name) + "/providers/Microsoft.ContainerRegistry/registries/" + name
}

func (r *roleSite) group(registry string) string {
	return "/subscriptions/" + r.subscription + "/resourceGroups/of-" + registry
}

func startRoleSite(t *testing.T) *roleSite {
	t.Helper()
	s := serve.Start(t, serve.Options{})
	r := &roleSite{
		subscription: s.Azure().Subscription,
		admin:        &actor{s: s, http: s.HTTP(), label: "admin", clientID: s.ClientID, secret: s.Secret, credential: s.Admin()},
	}
	var err error
	if r.image, err = images.Get(t.Context(), images.HelloWorld); err != nil {
		t.Fatal(err)
	}
	for _, registry := range []string{"contoso", "fabrikam"} {
		r.admin.arm(t, http.MethodPut, r.group(registry), `{"location":"here"}`)
		r.admin.arm(t, http.MethodPut, r.registry(registry), `{"location":"here","sku":{"name":"Basic"},"properties":{"adminUserEnabled":true}}`)
		if !r.push(t, r.admin, registry, "base") {
			t.Fatal("the admin can't push")
		}
	}
	status, doc := r.admin.send(t, "management", http.MethodPost, r.registry("contoso")+"/scheduleRun?api-version=2019-06-01-preview", quickRun)
	if status != http.StatusOK {
		t.Fatal(status, doc)
	}
	r.run, _ = doc["properties"].(map[string]any)["runId"].(string)
	return r
}

// quickRun is a run that ends soon: no network has a name below "invalid".
const quickRun = `{"type":"EncodedTaskRunRequest","platform":{"os":"Linux"},"encodedTaskContent":"c3RlcHM6Ci0gY21kOiBub3RoaW5nLmludmFsaWQveAogIHRpbWVvdXQ6IDUK"}`

// actor makes a service principal, as az does, with a role on a scope.
func (r *roleSite) actor(t *testing.T, label, role, scope string) *actor {
	t.Helper()
	graph := func(path, body string, status int) map[string]any {
		t.Helper()
		got, doc := r.admin.send(t, "graph", http.MethodPost, "/v1.0"+path, body)
		if got != status {
			t.Fatal(path, got, doc)
		}
		return doc
	}
	text := func(doc map[string]any, key string) string { s, _ := doc[key].(string); return s }
	app := graph("/applications", `{"displayName":"`+label+`"}`, http.StatusCreated)
	principal := graph("/servicePrincipals", `{"appId":"`+text(app, "appId")+`"}`, http.StatusCreated)
	secret := graph("/applications/"+text(app, "id")+"/addPassword", `{}`, http.StatusOK)
	a := &actor{
		s: r.admin.s, http: r.admin.http, label: label,
		clientID: text(app, "appId"), secret: text(secret, "secretText"), objectID: text(principal, "id"),
	}
	a.credential = a.s.Credential(a.clientID, a.secret)
	if role != "" && !r.assign(t, r.admin, role, scope, a.objectID) {
		t.Fatal("the admin can't give a role")
	}
	return a
}

// assign gives a role, and reports whether by may do that.
func (r *roleSite) assign(t *testing.T, by *actor, role, scope, objectID string) bool {
	t.Helper()
	definition := "/subscriptions/" + r.subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + roleIDs[role]
	return by.arm(t, http.MethodPut, scope+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString(),
		`{"properties":{"roleDefinitionId":"`+definition+`","principalId":"`+objectID+`","principalType":"ServicePrincipal"}}`)
}

// roleIDs are Azure's.
var roleIDs = map[string]string{
	"Owner":       "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
	"Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
	"Reader":      "acdd72a7-3385-48ef-bd42-f606fba81ae7",
	"AcrPull":     "7f951dda-4ed3-4680-a7ca-43fe172d538d",
	"AcrPush":     "8311e382-0749-4cb8-b61a-304f252e45ec",
	"AcrDelete":   "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
}

// operations are what somebody may or may not do in a registry.
var operations = []struct {
	name string
	try  func(r *roleSite, t *testing.T, a *actor, registry string) bool
}{
	{"create a registry", func(r *roleSite, t *testing.T, a *actor, registry string) bool {
		path := r.group(registry) + "/providers/Microsoft.ContainerRegistry/registries/of" + registry + a.label
		return a.arm(t, http.MethodPut, path, `{"location":"here","sku":{"name":"Basic"}}`)
	}},
	{"build", func(r *roleSite, t *testing.T, a *actor, registry string) bool {
		upload := a.arm(t, http.MethodPost, r.registry(registry)+"/listBuildSourceUploadUrl", "")
		run := a.arm(t, http.MethodPost, r.registry(registry)+"/scheduleRun", quickRun)
		if upload != run {
			t.Errorf("uploads: %v, schedules runs: %v", upload, run)
		}
		return run
	}},
	{"list runs", func(r *roleSite, t *testing.T, a *actor, registry string) bool {
		return a.arm(t, http.MethodGet, r.registry(registry)+"/runs", "")
	}},
	{"read a log", func(r *roleSite, t *testing.T, a *actor, registry string) bool {
		if registry != "contoso" {
			return a.arm(t, http.MethodGet, r.registry(registry)+"/runs", "") // no run is there
		}
		return a.arm(t, http.MethodPost, r.registry(registry)+"/runs/"+r.run+"/listLogSasUrl", "")
	}},
	{"create a task", func(r *roleSite, t *testing.T, a *actor, registry string) bool {
		return a.arm(t, http.MethodPut, r.registry(registry)+"/tasks/of"+a.label,
			`{"location":"here","properties":{"platform":{"os":"Linux"},"step":{"type":"EncodedTask","encodedTaskContent":"eA=="}}}`)
	}},
	{"give a role", func(r *roleSite, t *testing.T, a *actor, registry string) bool {
		return r.assign(t, a, "AcrPull", r.registry(registry), a.objectID) // it is an Owner already, or may not
	}},
	{"list credentials", func(r *roleSite, t *testing.T, a *actor, registry string) bool {
		return a.arm(t, http.MethodPost, r.registry(registry)+"/listCredentials", "")
	}},
	{"push", func(r *roleSite, t *testing.T, a *actor, registry string) bool { return r.push(t, a, registry, "new") }},
	{"pull", (*roleSite).pull},
	{"delete a tag", (*roleSite).deleteTag},
}

func (a *actor) options(t *testing.T) []remote.Option {
	return []remote.Option{
		remote.WithAuth(&authn.Basic{Username: a.clientID, Password: a.secret}), remote.WithTransport(a.http.Transport), remote.WithContext(t.Context()),
	}
}

// repository is one of the actor's own.
func (r *roleSite) repository(t *testing.T, a *actor, registry string) name.Repository {
	t.Helper()
	repository, err := name.NewRepository(a.s.LoginServer(registry) + "/of-" + a.label)
	if err != nil {
		t.Fatal(err)
	}
	return repository
}

// refused reports whether a registry has refused something for want of a right.
func refused(t *testing.T, err error) bool {
	t.Helper()
	var fault *transport.Error
	if errors.As(err, &fault) && (fault.StatusCode == http.StatusUnauthorized || fault.StatusCode == http.StatusForbidden) {
		return true
	}
	if err != nil {
		t.Error(err)
	}
	return false
}

func (r *roleSite) push(t *testing.T, a *actor, registry, tag string) bool {
	t.Helper()
	return !refused(t, remote.Write(r.repository(t, a, registry).Tag(tag), r.image, a.options(t)...))
}

// pull pulls what the admin has pushed.
func (r *roleSite) pull(t *testing.T, a *actor, registry string) bool {
	t.Helper()
	image, err := remote.Image(r.repository(t, r.admin, registry).Tag("base"), a.options(t)...)
	if err != nil {
		return !refused(t, err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) == 0 {
		t.Fatal(len(layers), err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		return !refused(t, err)
	}
	defer content.Close()
	if _, err := io.Copy(io.Discard, content); err != nil {
		t.Error(err)
	}
	return true
}

// deleteTag deletes a tag that the admin makes for it.
func (r *roleSite) deleteTag(t *testing.T, a *actor, registry string) bool {
	t.Helper()
	repository := r.repository(t, r.admin, registry)
	if err := remote.Tag(repository.Tag("for-"+a.label), r.image, r.admin.options(t)...); err != nil {
		t.Fatal(err)
	}
	host := a.s.LoginServer(registry)
	query := url.Values{"service": {host}, "scope": {"repository:" + repository.RepositoryStr() + ":delete"}}
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/oauth2/token?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ask.SetBasicAuth(a.clientID, a.secret)
	status, doc := a.do(t, ask)
	token, _ := doc["access_token"].(string)
	if status != http.StatusOK {
		t.Fatal(status, doc)
	}
	remove, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "https://"+host+"/acr/v1/"+repository.RepositoryStr()+"/_tags/for-"+a.label, nil)
	if err != nil {
		t.Fatal(err)
	}
	remove.Header.Set("Authorization", "Bearer "+token)
	status, doc = a.do(t, remove)
	if status != http.StatusAccepted && status != http.StatusUnauthorized && status != http.StatusForbidden {
		t.Errorf("deleting a tag: %d %v", status, doc)
	}
	return status == http.StatusAccepted
}

// TestRoles tries every operation with every role at every scope: in the
// registry that the role is about, and in one of another group.
func TestRoles(t *testing.T) {
	t.Parallel()
	r := startRoleSite(t)
	all := make([]string, len(operations))
	for i, o := range operations {
		all[i] = o.name
	}
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == name })
	}
	allowed := map[string][]string{
		"":            nil,
		"Owner":       all,
		"Contributor": without("give a role"),
		"Reader":      {"list runs", "pull"},
		"AcrPull":     {"pull"},
		"AcrPush":     {"pull", "push"},
		"AcrDelete":   {"delete a tag"},
	}
	scopes := map[string]string{
		"subscription": "/subscriptions/" + r.subscription, "group": r.group("contoso"), "registry": r.registry("contoso"),
	}
	for role, may := range allowed {
		for level, scope := range scopes {
			if role == "" && level != "registry" {
				continue // who has no role has it nowhere
			}
			t.Run(strings.TrimPrefix(role+" at the "+level, " "), func(t *testing.T) {
				t.Parallel()
				a := r.actor(t, strings.ToLower(role+level), role, scope)
				for _, o := range operations {
					for _, registry := range []string{"contoso", "fabrikam"} {
						want := slices.Contains(may, o.name)
						switch {
						case registry == "fabrikam" && level != "subscription":
							want = false
						case o.name == "create a registry" && level == "registry":
							want = false // it would be beside the one that the role is about
						case o.name == "read a log" && registry == "fabrikam":
							want = slices.Contains(may, "list runs")
						}
						if got := o.try(r, t, a, registry); got != want {
							t.Errorf("%s in %s: %v", o.name, registry, got)
						}
					}
				}
			})
		}
	}
}

// credentials are what create-for-rbac prints.
type credentials struct{ AppID, Password, Tenant string }

// TestProgramsSignIn is the way of a pipeline: an owner makes a principal with
// just the rights for it, which builds; with less it is told what is missing.
func TestProgramsSignIn(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	owner := s.Client(serve.Client{})
	owner.Must("group", "create", "-n", "demo", "-l", "local")
	owner.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	registry := strings.TrimSpace(owner.Must("acr", "show", "-n", "contoso", "--query", "id", "-o", "tsv"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY . /\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := func(role string) (*serve.Client, credentials) {
		t.Helper()
		var made credentials
		text := owner.Must("ad", "sp", "create-for-rbac", "-n", "ci-"+role, "--role", role, "--scopes", registry)
		if err := json.Unmarshal([]byte(text), &made); err != nil || made.Password == "" {
			t.Fatal(text, err)
		}
		c := s.Client(serve.Client{})
		c.Must("login", "--service-principal", "-u", made.AppID, "-p", made.Password, "--tenant", made.Tenant)
		return c, made
	}
	build := func(c *serve.Client) (string, int) {
		log, said, status := c.Run("acr", "build", "-r", "contoso", "-t", "hello:{{.Run.ID}}", dir)
		if status == 0 && !strings.Contains(log, "was successful") {
			t.Errorf("the log is\n%s", log)
		}
		return said, status
	}
	contributor, ids := program("Contributor")
	if said, status := build(contributor); status != 0 {
		t.Fatalf("a contributor: exit status %d\n%s", status, said)
	}
	if got := contributor.Must("acr", "repository", "show-tags", "-n", "contoso", "--repository", "hello", "-o", "tsv"); got != "ca1\n" {
		t.Errorf("the tags are %q", got)
	}
	reader, readerIDs := program("Reader")
	for _, c := range []*serve.Client{contributor, reader} {
		if _, said, status := c.Run("role", "assignment", "create", "--assignee-object-id", uuid.NewString(), "--role", "Owner", "--scope", registry); status != 1 || !strings.Contains(said, "(AuthorizationFailed)") {
			t.Errorf("giving a role: exit status %d\n%s", status, said)
		}
	}
	said, status := build(reader)
	help := regexp.MustCompile(`(?m)^ERROR: \(AuthorizationFailed\) .* \(an owner can allow it: az (role assignment create --assignee ` + readerIDs.AppID + ` --role Contributor --scope ` + registry + `)\)\n\z`)
	m := help.FindStringSubmatch(said)
	if status != 1 || m == nil {
		t.Fatalf("a reader: exit status %d\n%s", status, said)
	}
	// The owner does what the error says.
	owner.Must(strings.Fields(m[1])...)
	if said, status := build(reader); status != 0 {
		t.Errorf("a reader with one more role: exit status %d\n%s", status, said)
	}
	owner.Must("role", "assignment", "delete", "--assignee", "ci-Contributor", "--scope", registry)
	if said, status := build(contributor); status != 1 || !strings.Contains(said, "it may look at nothing there") {
		t.Errorf("without its role: exit status %d\n%s", status, said)
	}
	owner.Must("ad", "sp", "delete", "--id", ids.AppID)
	if said, status := build(contributor); status != 1 || !strings.Contains(said, "(InvalidAuthenticationToken)") {
		t.Errorf("after it was deleted: exit status %d\n%s", status, said)
	}
	want := fmt.Sprintf("%s\n", readerIDs.AppID)
	if got := owner.Must("ad", "sp", "list", "--display-name", "ci-", "--query", "[].appId", "-o", "tsv"); got != want {
		t.Errorf("there are %q, not %q", got, want)
	}
}
