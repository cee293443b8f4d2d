package gotool_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/test/gotool"
)

const nobody = 65534

// newModule returns a folder with a program that imports nothing, which others
// may read.
func newModule(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.org/program\n\ngo 1.24\n", "main.go": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Behind sudo, Go's caches get no files of root. Not parallel: it changes the
// environment.
func TestBuildAsTheCallerOfSudo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this needs root: run the tests with `make test`")
	}
	dir := newModule(t, "package main\n\nfunc main() { println(\"ran\") }\n")
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOENV", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GOFLAGS"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("SUDO_UID", strconv.Itoa(nobody))
	t.Setenv("SUDO_GID", strconv.Itoa(nobody))
	program := filepath.Join(t.TempDir(), "program")
	if err := gotool.Build(t.Context(), dir, program, "."); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program).CombinedOutput(); err != nil || string(out) != "ran\n" {
		t.Errorf("the program prints %q, %v", out, err)
	}
	files := 0
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files++
		info, err := d.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != nobody {
			t.Errorf("%s belongs to another user", path)
		}
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("the caller's home has %d files, %v", files, err)
	}
}

func TestBuildFails(t *testing.T) {
	t.Parallel()
	dir := newModule(t, "package main\n\nfunc main() { return 1 }\n")
	err := gotool.Build(t.Context(), dir, filepath.Join(t.TempDir(), "program"), ".")
	if drydock.CodeOf(err) != drydock.Unavailable {
		t.Errorf("error is %v", err)
	}
}

func TestDrydockdOfTheEnvironment(t *testing.T) {
	t.Setenv("DRYDOCKD", "some/program")
	program, err := gotool.Drydockd(t.Context(), "nowhere", "nowhere")
	if err != nil || !filepath.IsAbs(program) || filepath.Base(program) != "program" {
		t.Errorf("got %q, %v", program, err)
	}
}
