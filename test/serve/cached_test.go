package serve_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// copies is a Dockerfile whose RUN depends on all of the context.
const copies = "FROM busybox\nCOPY . /all\nRUN ls -A /all > /list\n"

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The same files, uploaded or fetched again, are built from the cache to the
// same image.
func TestContextsAreCached(t *testing.T) {
	t.Parallel()
	folders := t.TempDir()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Args: []string{hub(t), "--sources-files", folders}})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")

	dir := filepath.Join(folders, "uploaded")
	writeFile(t, filepath.Join(dir, "Dockerfile"), copies)
	writeFile(t, filepath.Join(dir, "sub/file"), "content")
	builds{c, "uploaded"}.same(t, ".dockerignore Dockerfile sub", func(string) []string {
		// Another time on the files, and a .dockerignore that says nothing, change
		// Another time on the files is no change.
		writeFile(t, filepath.Join(dir, ".dockerignore"), "# nothing\n")
		for _, name := range []string{"Dockerfile", "sub/file", "sub", "."} {
			if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		return []string{dir}
	})

	repo := repository(t)
	writeFile(t, filepath.Join(repo, "Dockerfile"), copies)
	writeFile(t, filepath.Join(repo, "sub/Dockerfile"), copies)
	git(t, repo, "add", ".")
	git(t, repo, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "two")
	if err := os.Rename(repo, filepath.Join(folders, "repo")); err != nil {
		t.Fatal(err)
	}
	repo = filepath.Join(folders, "repo")
	commit := git(t, repo, "rev-parse", "HEAD")
	builds{c, "git"}.same(t, "Dockerfile acr-task.yaml sub", func(n string) []string {
		return []string{map[string]string{"1": "file://" + repo, "2": "file://" + repo + "#trunk", "3": "file://" + repo + "#" + commit}[n]}
	})
	builds{c, "subfolder"}.same(t, "Dockerfile acr-task.yaml", func(string) []string { return []string{"file://" + repo + "#trunk:sub"} })
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// builds builds an image several times.
type builds struct {
	*serve.Client
	image string
}

// same checks that all builds but the first are cached, and give one image, with
// these files.
func (b builds) same(t *testing.T, files string, source func(n string) []string) {
	t.Helper()
	first := ""
	for _, n := range []string{"1", "2", "3"} {
		log := b.Must(append([]string{"acr", "build", "-r", "contoso", "-t", b.image + ":" + n, "--no-format"}, source(n)...)...)
		if cached := strings.Count(log, "CACHED"); n != "1" && cached < 2 {
			t.Errorf("build %s of %s is not cached:\n%s", n, b.image, log)
		}
		digest := b.Must("acr", "repository", "show", "-n", "contoso", "--image", b.image+":"+n, "--query", "digest", "-o", "tsv")
		if first == "" {
			first = digest
			shown := b.Must("acr", "run", "-r", "contoso", "--cmd", "$Registry/"+b.image+":1 cat /list", "/dev/null")
			if !strings.Contains(strings.Join(strings.Fields(shown), " "), " "+files+" ") {
				t.Errorf("the context of %s has not %s:\n%s", b.image, files, shown)
			}
		}
		if digest != first {
			t.Errorf("build %s of %s is %s, and the first was %s", n, b.image, digest, first)
		}
	}
}
