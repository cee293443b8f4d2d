package gitea

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Clone is a work tree of a repository, which pushes as a user.
type Clone struct {
	Dir string

	t TB
}

// Clone clones a repository into a folder.
func (u *User) Clone(repository, dir string) *Clone {
	u.s.t.Helper()
	address, err := url.Parse(repository)
	if err != nil {
		u.s.t.Fatal(err)
	}
	address.User = url.UserPassword(u.Name, u.Password)
	c := &Clone{Dir: dir, t: u.s.t}
	c.Git("clone", "--quiet", address.String(), ".")
	return c
}

// Git runs git in the work tree and returns what it printed.
func (c *Clone) Git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = c.Dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@git.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@git.example",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatal("git ", args, ": ", err, "\n", string(out))
	}
	return strings.TrimSpace(string(out))
}

// Commit writes a file, commits it and returns the commit.
func (c *Clone) Commit(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.Git("add", "--all")
	c.Git("commit", "--quiet", "--message", name)
	return c.Git("rev-parse", "HEAD")
}
