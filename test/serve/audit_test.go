package serve_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock/test/serve"
)

// noted is a record of the audit log, as drydockd prints it.
type noted struct {
	Principal, AppID, Name, From, Action, Target, Result, Detail string
	Status                                                       int
}

// auditOf returns the audit log of a server, the oldest first.
func auditOf(t *testing.T, s *serve.Server) (all []noted) {
	t.Helper()
	out, err := exec.Command(serve.Program(t), "audit", "--data", s.Data).Output()
	if err != nil {
		t.Fatal(err)
	}
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var n noted
		switch err := lines.Decode(&n); err {
		case nil:
			all = append(all, n)
		case io.EOF:
			slices.Reverse(all)
			return all
		default:
			t.Fatal(err)
		}
	}
}

// deedOf is a request that changes something or shows a secret, and what the audit
// log has to say of it; action is a pattern, and target what its target ends with.
type deedOf struct{ host, method, path, action, target string }

var routeLine = regexp.MustCompile("(?m)^\\| (PUT|PATCH|POST|DELETE) \\| `([^`]+)` \\| (?:`([^`]+)` \\|)?")

// documentedDeeds are those of the resource manager and of the directory, by their
// documentation, which is made of the tables of routes. Nothing has the names.
func documentedDeeds(t *testing.T, subscription string) (all []deedOf) {
	t.Helper()
	s := "/subscriptions/" + subscription
	for file, host := range map[string]string{"api.md": "management", "graph.md": "graph"} {
		text, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range routeLine.FindAllStringSubmatch(string(text), -1) {
			d := deedOf{host, m[1], m[2], m[3], ""}
			if host == "graph" {
				d.action = "Microsoft.Graph" + d.path + " " + d.method
				d.path = "/v1.0" + strings.ReplaceAll(d.path, "{id}", fmt.Sprintf("00000000-0000-4000-8000-%012d", i))
				d.target = d.path
			} else {
				d.path = strings.NewReplacer("{S}", s, "{G}", s+"/resourceGroups/{g}", "{R}", s+"/resourceGroups/{g}/providers/Microsoft.ContainerRegistry/registries/{r}").Replace(d.path)
				d.path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(d.path, fmt.Sprint("nothing", i)) + "?api-version=2023-07-01"
			}
			d.action = "^" + regexp.QuoteMeta(d.action) + "$"
			all = append(all, d)
		}
	}
	return all
}

// otherDeeds are those of registries and vaults.
func otherDeeds() (all []deedOf) {
	digest := "sha256:" + strings.Repeat("a", 64)
	for _, request := range []string{
		"PUT /v2/app/manifests/v1", "DELETE /v2/app/manifests/" + digest, "DELETE /v2/app/blobs/" + digest,
		"PATCH /acr/v1/app", "DELETE /acr/v1/app", "PATCH /acr/v1/app/_tags/v1", "DELETE /acr/v1/app/_tags/v1",
		"PATCH /acr/v1/app/_manifests/" + digest, "DELETE /acr/v1/app/_manifests/" + digest,
	} {
		method, path, _ := strings.Cut(request, " ")
		action := map[bool]string{true: "artifacts/delete", false: "push/write"}[method == http.MethodDelete]
		all = append(all, deedOf{"contoso.azurecr", method, path, "registries/" + action + "$", "/contoso" + path})
	}
	for request, action := range map[string]string{
		"GET /secrets": "readMetadata/action ", "GET /secrets/none": "getSecret/action none", "GET /secrets/none/1": "getSecret/action none",
		"GET /secrets/none/versions": "readMetadata/action none", "PUT /secrets/none": "setSecret/action none",
		"PATCH /secrets/none/1": "update/action none", "DELETE /secrets/none": "delete none",
		"POST /secrets/none/backup": "backup/action none", "POST /secrets/restore": "restore/action ",
		"GET /deletedsecrets": "readMetadata/action ", "GET /deletedsecrets/none": "readMetadata/action none",
		"POST /deletedsecrets/none/recover": "recover/action none", "DELETE /deletedsecrets/none": "purge/action none",
	} {
		method, path, _ := strings.Cut(request, " ")
		action, secret, _ := strings.Cut(action, " ")
		target := "/vaults/audited"
		if secret != "" {
			target += "/secrets/" + secret
		}
		all = append(all, deedOf{"audited.vault", method, path + "?api-version=7.4", "Microsoft.KeyVault/vaults/secrets/" + action + "$", target})
	}
	return all
}

// do sends the request as the admin, or as nobody.
func (d deedOf) do(t *testing.T, s *serve.Server, nobody bool) (status int) {
	t.Helper()
	body := `{"value":""}` // of a vault's secret, and too little for everything else
	if d.host == "audited.vault" && d.method == http.MethodPost {
		body = `{"value":"AA"}`
	}
	r, err := http.NewRequestWithContext(t.Context(), d.method, "https://"+s.Host(d.host)+d.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resource := d.host
	if _, kind, found := strings.Cut(d.host, "."); found {
		resource = kind
	}
	switch {
	case nobody:
	case resource == "azurecr":
		r.SetBasicAuth(s.ClientID, s.Secret)
	default:
		token, err := s.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + s.Host(resource) + "/.default"}})
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token.Token)
	}
	answer, err := s.HTTP().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// Each request that changes something, or reads a secret, leaves one record with
// who, what, from where and the result, whatever becomes of it.
func TestEachWriteIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c, a := s.Client(serve.Client{}), s.Azure()
	a.CreateRegistry("contoso")
	c.Must("keyvault", "create", "-n", "audited", "-g", serve.Group)
	before := len(auditOf(t, s))
	deeds := append(documentedDeeds(t, a.Subscription), otherDeeds()...)
	if len(deeds) < 120 {
		t.Errorf("the documentation has %d requests that change something", len(deeds))
	}
	statuses := make([]int, len(deeds))
	for i, d := range deeds {
		statuses[i] = d.do(t, s, false)
	}
	if status := (deedOf{host: "audited.vault", method: http.MethodGet, path: "/secrets/none?api-version=7.4"}).do(t, s, true); status != http.StatusUnauthorized {
		t.Errorf("without a token a secret is answered with %d", status)
	}
	if err := s.Stop(); err != nil { // results are there at the latest now
		t.Error(err)
	}
	log := auditOf(t, s)[before:]
	for i, d := range deeds {
		if i >= len(log) {
			t.Fatalf("of %d requests %d are in the log; the first that is not: %s %s", len(deeds), len(log), d.method, d.path)
		}
		n, path := log[i], strings.ToLower(strings.TrimSuffix(d.path, "?api-version=2023-07-01"))
		right := regexp.MustCompile(d.action).MatchString(n.Action) && n.AppID == s.ClientID && n.Principal != "" && n.Name == "drydock-admin" && n.From == "127.0.0.1"
		right = right && (d.target != "" && strings.HasSuffix(n.Target, d.target) || d.target == "" && strings.HasPrefix(path, strings.ToLower(n.Target)))
		want := map[bool]string{true: "Succeeded", false: "Failed"}[statuses[i] < 400]
		if statuses[i] == http.StatusForbidden {
			want = "Denied"
		}
		if !right || n.Result != want || n.Status != 0 && n.Status != statuses[i] {
			t.Fatalf("%s %s with the answer %d is in the log as %+v, want %s", d.method, d.path, statuses[i], n, d.action)
		}
	}
	if len(log) != len(deeds)+1 {
		t.Fatalf("%d requests are %d records", len(deeds)+1, len(log))
	}
	n := log[len(deeds)]
	if n.Name != "anonymous" || n.Result != "Denied" || !strings.HasSuffix(n.Action, "getSecret/action") || !strings.HasSuffix(n.Target, "/vaults/audited/secrets/none") {
		t.Errorf("what was asked without a token is in the log as %+v", n)
	}
}
