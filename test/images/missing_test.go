package images

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

func wantMissing(t *testing.T, err error, pkg string) {
	t.Helper()
	if drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), pkg) ||
		!strings.Contains(err.Error(), "make setup") {
		t.Errorf("got error %v, want one that says that %s is missing and make setup installs it", err, pkg)
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	_, err := program("no-such-program", "no-such-package")
	wantMissing(t, err, "no-such-package")
}

// Not parallel: it changes the environment.
func TestMissingNpm(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	store := &Store{Dir: t.TempDir()}
	_, err := store.Get(t.Context(), Node)
	wantMissing(t, err, "npm")
}

// Not parallel: it changes the environment.
func TestMissingGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	store := &Store{Dir: t.TempDir()}
	_, err := store.Get(t.Context(), HelloWorld)
	if drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), "PATH") {
		t.Errorf("got error %v, want one that says that go must be in the PATH", err)
	}
}

func TestPackageOfAnotherContentIsRefused(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	p := nodePackages()[1]
	if err := writeFile(work+"/"+p.file(), strings.NewReader("not what was pinned")); err != nil {
		t.Fatal(err)
	}
	if err := p.extract(work, tree{}); err == nil || !strings.Contains(err.Error(), p.sha256) {
		t.Errorf("got error %v, want one that names the wanted SHA-256", err)
	}
}
