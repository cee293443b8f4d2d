package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock"
)

func TestLocalFolder(t *testing.T) {
	t.Parallel()
	f := newFetcher(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), []byte("x"))
	got := f.fetch(dir)
	if got.Dir != dir || got.Commit != "" || got.Branch != "" {
		t.Errorf("got %+v", got)
	}
	if err := got.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err != nil {
		t.Error("closing removed a local folder")
	}
	f.empty()
}

func TestEmptySource(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"", "/dev/null"} {
		got := newFetcher(t).fetch(spec)
		if files := tree(t, got.Dir); len(files) != 0 {
			t.Errorf("%q holds %v", spec, files)
		}
	}
}

func TestLocalRefused(t *testing.T) {
	t.Parallel()
	f := newFetcher(t)
	if e := f.refused("/no/such/folder", `the source "/no/such/folder" does not exist`); e.Code != drydock.Invalid || e.Hint == "" {
		t.Errorf("%+v", e)
	}
	f.refused("/dev/zero", "neither a folder nor a file")
	f.refused("-", "standard input is not there")
	f.refused(write(t, filepath.Join(t.TempDir(), "Dockerfile"), make([]byte, 0)), "is empty")
}

func TestLocalWorkTree(t *testing.T) {
	t.Parallel()
	f, r := newFetcher(t), newRepo(t)
	commit := r.commit("a.txt", "one")
	got := f.fetch(r.dir)
	if got.Commit != commit || got.Branch != "main" || got.Dir != r.dir {
		t.Errorf("got %+v, want commit %s of main", got, commit)
	}
	write(t, filepath.Join(r.dir, "sub", "b"), nil)
	if got := f.fetch(filepath.Join(r.dir, "sub")); got.Commit != commit {
		t.Errorf("a folder of the work tree: %+v", got)
	}
	r.git("checkout", "--quiet", "--detach")
	if got := f.fetch(r.dir); got.Commit != commit || got.Branch != "HEAD" {
		t.Errorf("detached: %+v", got)
	}
	if got := f.fetch(newRepo(t).dir); got.Commit != "" || got.Branch != "" {
		t.Errorf("without a commit: %+v", got)
	}
	f.Env = nil
	if got := f.fetch(r.dir); got.Commit != "" {
		t.Errorf("without git: %+v", got)
	}
}

// A work tree's configuration can name programs: root runs git with the rights
// of the folder's owner.
func TestWorkTreeOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("this test must run as root: make test does that")
	}
	f, r := newFetcher(t), newRepo(t)
	commit := r.commit("a.txt", "one")
	r.reachable()
	if err := filepath.WalkDir(r.dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, 65534, 65534)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := f.fetch(r.dir); got.Commit != commit || got.Branch != "main" {
		t.Errorf("got %+v", got)
	}
}
