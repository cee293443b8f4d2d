package serve_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// dockerfiles makes a git repository with a folder for each Dockerfile.
func dockerfiles(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	for name, text := range texts {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "Dockerfile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "one"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// people is what TestPeopleSeeWhatHappens works with: the registries public and
// contoso, in which middle is built from public's base, and app from middle.
type people struct {
	*serve.Client
	server *serve.Server
}

// pushBase builds public's base image anew.
func (p *people) pushBase(t *testing.T, version string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM busybox\nENV VERSION="+version+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Must("acr", "build", "-r", "public", "-t", "base:1", "--no-logs", dir)
}

func startPeople(t *testing.T) *people {
	t.Helper()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Args: []string{hub(t), "--sources-files", "/"}})
	p := &people{s.Client(serve.Client{}), s}
	p.Must("group", "create", "-n", "demo", "-l", "local")
	for _, name := range []string{"public", "contoso"} {
		p.Must("acr", "create", "-n", name, "-g", "demo", "--sku", "Basic")
	}
	p.pushBase(t, "1")
	repo := dockerfiles(t, map[string]string{
		"middle": "FROM " + p.server.LoginServer("public") + "/base:1\nENV MIDDLE=1\n",
		"app":    "FROM " + p.server.LoginServer("contoso") + "/middle:1\nENV APP=1\n",
		"pinned": "FROM busybox@sha256:" + strings.Repeat("0", 64) + "\n",
	})
	for _, name := range []string{"middle", "app"} {
		p.Must("acr", "task", "create", "-r", "contoso", "-n", name, "-t", name+":1", "-f", "Dockerfile", "-c", "file://"+repo+"#main:"+name, "--commit-trigger-enabled", "false")
		p.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", name, "--login-server", p.server.LoginServer("public"), "-u", s.ClientID, "-p", s.Secret)
		p.Must("acr", "task", "run", "-r", "contoso", "-n", name, "--no-logs")
	}
	p.Must("acr", "task", "create", "-r", "contoso", "-n", "nightly", "--cmd", "busybox true", "-c", "/dev/null", "--schedule", "0 3 * * *")
	return p
}

// People see what hangs on what, why a run ran over two registries, and what is
// stale while triggers are held.
func TestPeopleSeeWhatHappens(t *testing.T) {
	t.Parallel()
	p := startPeople(t)
	tree := p.Until("task app in contoso  [up to date]", "acr", "task", "graph")
	for _, want := range []string{
		p.server.LoginServer("public") + "/base:1  sha256:", "\n└─ task middle in contoso  [up to date]\n   └─ " + p.server.LoginServer("contoso") + "/middle:1  sha256:",
		"\n      └─ task app in contoso  [up to date]\n         └─ pushes " + p.server.LoginServer("contoso") + "/app:1\n",
		"task nightly in contoso  [not armed: ", "starts on timer t1 (0 3 * * *), next ",
	} {
		if !strings.Contains(tree, want) {
			t.Errorf("no %q in\n%s", want, tree)
		}
	}
	p.pushBase(t, "2")
	why := p.Until("registry contoso: Succeeded\n", "acr", "task", "why", "ca4", "-r", "contoso")
	checkOrder(t, why, "Run ca4 of task app in registry contoso: Succeeded", "Trigger: Image Update. ", "\nBase images that changed:\n  "+p.server.LoginServer("contoso")+"/middle:1\n    before  sha256:",
		"\n    now     sha256:", "\n    pushed by run ca3 of task middle in registry contoso\n", "\nHow it came to this:\n", "public/ca2  Succeeded\n    It was asked for by drydock-admin at ",
		"contoso/ca3 (middle)  Succeeded\n    At ", "contoso/ca4 (app)  Succeeded", "\nWhat it pushed:\n  "+p.server.LoginServer("contoso")+"/app:1  sha256:")
	var told struct {
		Trigger string
		Chain   []struct{ Registry, RunID, Task, Trigger string }
		Cause   struct {
			Images []struct{ Image, Previous, Digest string }
		}
	}
	if err := json.Unmarshal([]byte(p.Must("acr", "task", "why", "ca4", "-r", "contoso", "-o", "json")), &told); err != nil {
		t.Fatal(err)
	}
	if len(told.Chain) != 2 || told.Chain[0].Registry != "public" || told.Chain[1].Task != "middle" || told.Trigger != "Image Update" ||
		len(told.Cause.Images) != 1 || told.Cause.Images[0].Previous == told.Cause.Images[0].Digest || told.Cause.Images[0].Previous == "" {
		t.Errorf("%+v", told)
	}
	if got := p.Must("acr", "task", "list-runs", "-r", "contoso", "--run-status", "Succeeded", "-o", "table"); strings.Count(got, "  Image Update  ") != 2 || strings.Count(got, "  Manual  ") != 2 {
		t.Error(got)
	}
	checkPicture(t, p.Must("acr", "task", "graph", "-o", "svg"))
	if got := p.Must("acr", "task", "stale"); got != "[]\n" {
		t.Error(got)
	}

	p.Must("acr", "task", "pause", "--all", "-r", "contoso")
	p.pushBase(t, "3")
	if got := p.Until("middle", "acr", "task", "stale", "--query", "[].[name, next]", "-o", "tsv"); got != "middle\tthe triggers of the registry are paused\n" {
		t.Error(got)
	}
	if _, said, status := p.Run("acr", "task", "stale", "--check", "-o", "none"); status != 1 || !strings.Contains(said, "1 of the tasks stand on an older base image") {
		t.Errorf("exit status %d: %s", status, said)
	}
	if got := p.Must("acr", "task", "list-runs", "-r", "contoso", "--query", "length(@)"); got != "4\n" {
		t.Errorf("while triggers are held there are %s runs", got)
	}
	// Both are run by hand, in their order, and by nothing else afterwards.
	if got := p.Must("acr", "task", "stale", "--run", "-r", "contoso", "--query", "[].[task, runId, status]", "-o", "tsv"); got != "middle\tca5\tSucceeded\napp\tca6\tSucceeded\n" {
		t.Error(got)
	}
	p.Must("acr", "task", "resume", "--all", "-r", "contoso")
	p.pushBase(t, "4")
	p.Until("ca8", "acr", "task", "list-runs", "-r", "contoso", "-n", "app", "--run-status", "Succeeded", "--query", "[].runId")
	if got := p.Must("acr", "task", "list-runs", "-r", "contoso", "--query", "length(@)"); got != "8\n" {
		t.Errorf("in the end there are %s runs", got)
	}
}

// checkOrder checks that a text has parts in an order.
func checkOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Errorf("no %q, or not in its place, in\n%s", part, text)
			return
		}
		rest = after
	}
}

// checkPicture checks that a picture can be read as XML.
func checkPicture(t *testing.T, svg string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
