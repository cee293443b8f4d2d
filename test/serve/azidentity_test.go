package serve_test

import (
	"archive/tar"
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// identityImage puts a program that signs in with Microsoft's client into an
// image, and returns its name.
func identityImage(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "identity")
	if err := gotool.Build(t.Context(), ".", program, "github.com/drydockhq/drydock/test/images/programs/identity"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: "bin/identity", Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	img, err := images.Get(t.Context(), images.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, static.NewLayer(layer.Bytes(), types.OCIUncompressedLayer)); err != nil {
		t.Fatal(err)
	}
	r := registry.Start(t, registry.Options{})
	ref, err := name.ParseReference(r.Host + "/identity:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	return ref.String()
}

// call asks the resource manager with a token, from outside of all runs.
func (o *office) call(path, token string) (status int, said string) {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, "https://"+o.server.Host("management")+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := o.server.HTTP().Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("WWW-Authenticate")
}

// Microsoft's client in a step is the identity of the task, with the roles of
// that; what it is given is of no use outside of the run, or after it.
func TestMicrosoftsClientInAStep(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	group := strings.TrimSpace(o.Must("group", "show", "-n", "tests", "--query", "id", "-o", "tsv"))
	path := group + "?api-version=2021-04-01"
	file := o.file("version: v1.1.0\nsteps:\n- cmd: " + identityImage(t) + " identity https://management.azure.com '" + path + "'\n- cmd: busybox sleep 120\n")
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "who", "-c", "/dev/null", "-f", file, "-o", "none")
	o.wantFailure("who", "Identity not found: task who in registry contoso does not have an identity of its own")
	o.Must("acr", "task", "identity", "assign", "-r", "contoso", "-n", "who", "-o", "none")

	run := func() (id, log string) {
		t.Helper()
		id = strings.TrimSpace(o.Must("acr", "task", "run", "-r", "contoso", "-n", "who", "--no-wait", "--query", "runId", "-o", "tsv"))
		o.Until("Running", "acr", "task", "show-run", "-r", "contoso", "--run-id", id, "--query", "status", "-o", "tsv")
		return id, o.untilLog(id, "token ey")
	}
	id, log := run()
	o.Must("acr", "task", "cancel-run", "-r", "contoso", "--run-id", id)
	o.wantWords(log, "403 Forbidden", "AuthorizationFailed", o.principal("who"), "Microsoft.Resources/subscriptions/resourceGroups/read", group)
	o.Must("role", "assignment", "create", "--assignee-object-id", o.principal("who"), "--assignee-principal-type", "ServicePrincipal", "--role", "Reader", "--scope", group, "-o", "none")
	id, log = run()
	o.wantWords(log, "200 OK", `"name":"tests"`)

	token := regexp.MustCompile(`token (ey\S+)`).FindStringSubmatch(log)[1]
	if status, said := o.call(path, token); status != http.StatusUnauthorized || !strings.Contains(said, "good only in that run") {
		t.Errorf("outside of the run: %d %s", status, said)
	}
	o.Must("acr", "task", "cancel-run", "-r", "contoso", "--run-id", id)
	o.Until("Canceled", "acr", "task", "show-run", "-r", "contoso", "--run-id", id, "--query", "status", "-o", "tsv")
	if status, said := o.call(path, token); status != http.StatusUnauthorized {
		t.Errorf("after the run: %d %s", status, said)
	}
}
