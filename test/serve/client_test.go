package serve_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// TestClient goes with the client from an empty server to an image that was
// built twice: by a quick build and by a task.
func TestClient(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": "*.secret\n", "hello": "hello", "x.secret": "x",
		"acb.yaml": "version: v1.1.0\nsteps:\n  - build: -t $Registry/hello:$ID .\n  - push: [\"$Registry/hello:$ID\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, said, status := c.Run("acr", "build", "-r", "contoso", "-t", "hello:{{.Run.ID}}", "--no-format", dir)
	if status != 0 || !strings.Contains(log, "Run ID: ca1 was successful") {
		t.Fatalf("exit status %d\n%s%s", status, log, said)
	}
	if !strings.Contains(said, "contoso.azurecr."+serve.LocalDomain+":"+s.Port+"/hello:ca1@sha256:") {
		t.Errorf("the summary has no image: %s", said)
	}
	if again := c.Must("acr", "task", "logs", "-r", "contoso", "--run-id", "ca1"); again != log {
		t.Errorf("the log was\n%s\nand is now\n%s", log, again)
	}
	c.Must("acr", "run", "-r", "contoso", dir)
	if got := c.Must("acr", "repository", "show-tags", "-n", "contoso", "--repository", "hello", "-o", "tsv"); got != "ca1\nca2\n" {
		t.Errorf("the tags are %q", got)
	}
	c.Must("acr", "import", "-n", "contoso", "-r", "contoso", "--source", "hello:ca2", "-t", "copy:1")
	if got := c.Must("acr", "manifest", "list", "-r", "contoso", "-n", "copy", "--query", "length(@)"); got != "1\n" {
		t.Errorf("the copy has manifests: %s", got)
	}
	table := regexp.MustCompile(`^RUN ID    TASK    PLATFORM    STATUS     TRIGGER    STARTED               DURATION
--------  ------  ----------  ---------  ---------  --------------------  ----------
ca2               linux       Succeeded  Manual     \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  \d\d:\d\d:\d\d
ca1               linux       Succeeded  Manual     \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  \d\d:\d\d:\d\d
$`)
	if got := c.Must("acr", "task", "list-runs", "-r", "contoso", "-o", "table"); !table.MatchString(got) {
		t.Errorf("the runs are\n%s", got)
	}
	// A run that fails is the client's failure too.
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY nothing /\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log, said, status = c.Run("acr", "build", "-r", "contoso", "--no-push", dir)
	if status != 1 || !strings.Contains(said, "ERROR: Run ca3 failed: ") || !strings.Contains(log, "\nDockerfile:2") {
		t.Errorf("exit status %d\n%s%s", status, log, said)
	}
}
