package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// A task whose run registry is another one pushes there, with the credentials
// that it was given, and nothing to its own.
func TestRunRegistryElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := registry.Start(t, registry.Options{Users: map[string]string{"acme": "s3cr3t-there"}, Tokens: true})
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Args: []string{hub(t)}})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Dockerfile": "FROM busybox\nRUN echo built > /built\n",
		"acb.yaml":   "version: v1.1.0\nsteps:\n- build: -t $Registry/hello:$ID .\n- push: ['$Registry/hello:$ID']\n- cmd: $Registry/hello:$ID cat /built\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runs := elsewhere.Host + "/acme"
	// A quick build has no credentials for it.
	if _, said, status := c.Run("acr", "build", "-r", "contoso", "-t", "quick:1", "--run-registry", runs, dir); status != 1 || !strings.Contains(said, "given with acr task credential add --login-server "+elsewhere.Host) {
		t.Errorf("without credentials: %d %s", status, said)
	}
	c.Must("acr", "task", "create", "-r", "contoso", "-n", "out", "-c", "/dev/null", "-f", filepath.Join(dir, "acb.yaml"), "--run-registry", runs)
	c.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "out", "--login-server", elsewhere.Host, "-u", "acme", "-p", "s3cr3t-there")
	log := c.Must("acr", "task", "run", "-r", "contoso", "-n", "out", "-c", dir)
	if !strings.Contains(log, "built") || strings.Contains(log, "s3cr3t") {
		t.Errorf("log:\n%s", log)
	}
	id := strings.TrimSpace(c.Must("acr", "task", "list-runs", "-r", "contoso", "-n", "out", "--query", "[].runId", "-o", "tsv"))
	ref, err := name.ParseReference(runs + "/hello:" + id)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := remote.Head(ref, remote.WithAuth(&authn.Basic{Username: "acme", Password: "s3cr3t-there"}))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{elsewhere.Host, "acme/hello", id, pushed.Digest.String()}, "\t") + "\n"
	if got := c.Must("acr", "task", "list-runs", "-r", "contoso", "--query", "[0].outputImages[].[registry,repository,tag,digest]", "-o", "tsv"); got != want {
		t.Errorf("list-runs shows %q, and the registry has %q", got, want)
	}
	if got := c.Must("acr", "repository", "list", "-n", "contoso"); got != "[]\n" {
		t.Errorf("the task's own registry has %s", got)
	}
}
