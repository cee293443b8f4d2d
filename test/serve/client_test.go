package serve_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// clientDomain is one whose hosts the client finds without a resolver.
const clientDomain = "drydock.localhost"

// client runs the client, which drydockd is under another name.
type client struct {
	t       *testing.T
	program string
	env     []string
}

func newClient(t *testing.T, s *serve.Server) *client {
	t.Helper()
	dir := t.TempDir()
	c := &client{t: t, program: filepath.Join(dir, "az")}
	if err := os.Symlink(serve.Program(t), c.program); err != nil {
		t.Fatal(err)
	}
	c.env = append(os.Environ(), "DRYDOCK_CONFIG_DIR="+filepath.Join(dir, "config"), "DOCKER_CONFIG="+filepath.Join(dir, "docker"))
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	c.must("login", "--endpoint", "https://management."+clientDomain+":"+s.Port, "--ca-file", ca,
		"--service-principal", "-u", s.ClientID, "-p", s.Secret, "--tenant", s.Tenant)
	return c
}

// run returns what the client printed, and its exit status.
func (c *client) run(args ...string) (stdout, stderr string, status int) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), c.program, args...)
	var out, problems bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, &out, &problems
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		c.t.Fatal(err)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

func (c *client) must(args ...string) string {
	c.t.Helper()
	out, problems, status := c.run(args...)
	if status != 0 {
		c.t.Fatalf("%s: exit status %d\n%s%s", strings.Join(args, " "), status, out, problems)
	}
	return out
}

// TestClient goes with the client from an empty server to an image that was
// built twice: by a quick build and by a task.
func TestClient(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{"--domain", clientDomain}})
	c := newClient(t, s)
	c.must("group", "create", "-n", "demo", "-l", "local")
	c.must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": "*.secret\n", "hello": "hello", "x.secret": "x",
		"acb.yaml": "version: v1.1.0\nsteps:\n  - build: -t $Registry/hello:$ID .\n  - push: [\"$Registry/hello:$ID\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, said, status := c.run("acr", "build", "-r", "contoso", "-t", "hello:{{.Run.ID}}", "--no-format", dir)
	if status != 0 || !strings.Contains(log, "Run ID: ca1 was successful") {
		t.Fatalf("exit status %d\n%s%s", status, log, said)
	}
	if !strings.Contains(said, "contoso.azurecr."+clientDomain+":"+s.Port+"/hello:ca1@sha256:") {
		t.Errorf("the summary has no image: %s", said)
	}
	if again := c.must("acr", "task", "logs", "-r", "contoso", "--run-id", "ca1"); again != log {
		t.Errorf("the log was\n%s\nand is now\n%s", log, again)
	}
	c.must("acr", "run", "-r", "contoso", dir)
	if got := c.must("acr", "repository", "show-tags", "-n", "contoso", "--repository", "hello", "-o", "tsv"); got != "ca1\nca2\n" {
		t.Errorf("the tags are %q", got)
	}
	c.must("acr", "import", "-n", "contoso", "-r", "contoso", "--source", "hello:ca2", "-t", "copy:1")
	if got := c.must("acr", "manifest", "list", "-r", "contoso", "-n", "copy", "--query", "length(@)"); got != "1\n" {
		t.Errorf("the copy has manifests: %s", got)
	}
	table := regexp.MustCompile(`^RUN ID    TASK    PLATFORM    STATUS     TRIGGER    STARTED               DURATION
--------  ------  ----------  ---------  ---------  --------------------  ----------
ca2               linux       Succeeded  Manual     \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  \d\d:\d\d:\d\d
ca1               linux       Succeeded  Manual     \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  \d\d:\d\d:\d\d
$`)
	if got := c.must("acr", "task", "list-runs", "-r", "contoso", "-o", "table"); !table.MatchString(got) {
		t.Errorf("the runs are\n%s", got)
	}
	// A run that fails is the client's failure too.
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY nothing /\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log, said, status = c.run("acr", "build", "-r", "contoso", "--no-push", dir)
	if status != 1 || !strings.Contains(said, "ERROR: Run ca3 failed: ") || !strings.Contains(log, "\nDockerfile:2") {
		t.Errorf("exit status %d\n%s%s", status, log, said)
	}
}
