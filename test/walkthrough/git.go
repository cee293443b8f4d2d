package walkthrough

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock/test/gitea"
	"github.com/drydockhq/drydock/test/serve"
)

// GitHost is where the repositories are.
type GitHost interface {
	// Repository makes a private repository, and returns its URL and one by which
	// its owner pushes.
	Repository(name string) (public, own string)
	// Token is a personal access token for all of them.
	Token() string
}

// Gitea is a real git host, which tells the server of pushes.
func Gitea(t serve.TB) GitHost {
	t.Helper()
	ann := gitea.Start(t).User("ann")
	return &giteaHost{user: ann, token: ann.Token("tasks", "write:repository")}
}

type giteaHost struct {
	user  *gitea.User
	token string
}

// Repository implements GitHost.
func (h *giteaHost) Repository(name string) (public, own string) {
	public = h.user.Repository(name, true)
	return public, withPassword(public, h.user.Name, h.user.Password)
}

// Token implements GitHost.
func (h *giteaHost) Token() string { return h.token }

func withPassword(address, user, password string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	return scheme + "://" + url.UserPassword(user, password).String() + "@" + rest
}

// Plain is a git host that serves repositories to those who have a token, and
// nothing else: the server looks there for itself.
func Plain(t serve.TB) GitHost {
	t.Helper()
	h := &plainHost{t: t, dir: t.TempDir(), token: rand.Text()}
	git, err := serve.GitHandler(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != h.token {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

type plainHost struct {
	t          serve.TB
	dir        string
	url, token string
}

// Repository implements GitHost.
func (h *plainHost) Repository(name string) (public, own string) {
	h.t.Helper()
	bare := filepath.Join(h.dir, name+".git")
	if out, err := exec.Command("git", "init", "--quiet", "--bare", "--initial-branch=main", bare).CombinedOutput(); err != nil {
		h.t.Fatal("git init: ", err, "\n", string(out))
	}
	return h.url + "/" + name + ".git", bare
}

// Token implements GitHost.
func (h *plainHost) Token() string { return h.token }

// tree is a work tree of a repository.
type tree struct {
	dir string
	url string // that tasks have
}

// newTree makes a repository, with the files of a folder.
func newTree(t serve.TB, host GitHost, name, folder string) *tree {
	t.Helper()
	public, own := host.Repository(name)
	w := &tree{dir: t.TempDir(), url: public}
	err := errors.Join(
		w.git("init", "--quiet", "--initial-branch=main"),
		w.git("remote", "add", "origin", own),
	)
	if err == nil {
		err = w.fill(folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// fill makes the files of some folders what is in the repository, by a commit. Of
// files of the same name the last is taken.
func (w *tree) fill(folders ...string) error {
	old, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, entry := range old {
		if entry.Name() == ".git" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(w.dir, entry.Name())); err != nil {
			return err
		}
	}
	for _, folder := range folders {
		if err := overlay(w.dir, os.DirFS(folder)); err != nil {
			return err
		}
	}
	return w.push("Begin anew")
}

// overlay copies files into a folder, over those that are there.
func overlay(dir string, files fs.FS) error {
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if err := os.Remove(filepath.Join(dir, path)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	return os.CopyFS(dir, files)
}

// replace changes the lines that start with a text, and pushes that.
func (w *tree) replace(file, start, line, message string) error {
	path := filepath.Join(w.dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines, found := strings.Split(string(text), "\n"), false
	for i, have := range lines {
		if have != "" && strings.HasPrefix(have, start) {
			lines[i], found = line, true
		}
	}
	if !found {
		return fmt.Errorf("%s has no line %q", file, start)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		return err
	}
	return w.push(message)
}

// head returns the newest commit.
func (w *tree) head() (string, error) {
	cmd := exec.Command("git", "rev-parse", "HEAD")
	cmd.Dir = w.dir
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// push commits all and pushes it. The first push is by force: hosts begin
// repositories with a commit of their own.
func (w *tree) push(message string) error {
	if err := w.git("add", "--all"); err != nil {
		return err
	}
	if err := w.git("commit", "--quiet", "--allow-empty", "--message", message); err != nil {
		return err
	}
	return w.git("push", "--quiet", "--force", "origin", "HEAD")
}

func (w *tree) git(args ...string) error {
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@git.example", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@git.example",
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return nil
}
