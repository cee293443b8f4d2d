package images

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLibrariesAreThoseOfTheLoader compares with ldd, which asks the loader.
func TestLibrariesAreThoseOfTheLoader(t *testing.T) {
	t.Parallel()
	finder, err := machineLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bash", "curl"} {
		path, err := program(name, name)
		if err != nil {
			t.Fatal(err)
		}
		got := tree{}
		if err := finder.addProgram(got, path); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "ldd", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lddNames(string(out)), fileNames(got)); diff != "" {
			t.Errorf("libraries of %s (-ldd +got):\n%s", name, diff)
		}
	}
}

// lddNames returns the base names of the files in ldd's output, sorted.
func lddNames(out string) []string {
	var names []string
	for line := range strings.Lines(out) {
		first := strings.Fields(line)[0]
		if !strings.HasPrefix(first, "linux-vdso") {
			names = append(names, filepath.Base(first))
		}
	}
	slices.Sort(names)
	return names
}

// fileNames returns the base names of the files in a tree, sorted.
func fileNames(t tree) []string {
	var names []string
	for name, e := range maps.All(t) {
		if e.mode.IsRegular() {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names
}

func TestMissingLibrary(t *testing.T) {
	t.Parallel()
	finder, err := machineLibraries()
	if err != nil {
		t.Fatal(err)
	}
	err = finder.addLibrary(tree{}, "libnone.so.1")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "libnone.so.1") {
		t.Errorf("got error %v", err)
	}
}

func TestNotAProgram(t *testing.T) {
	t.Parallel()
	finder, err := machineLibraries()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := finder.addProgram(tree{}, path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names %s", err, path)
	}
}

func TestLoaderFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ld.so.conf":     "# comment\ninclude conf.d/*.conf\n/opt/lib # more\n\nhwcap 0 nosegneg\ninclude /none/*.conf\n",
		"conf.d/b.conf":  "/usr/b\n",
		"conf.d/a.conf":  "\t/usr/a  \n/usr/a2\n",
		"conf.d/ignored": "/usr/ignored\n",
		"loop.conf":      "include loop.conf\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := loaderFolders(filepath.Join(dir, "ld.so.conf"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/usr/a", "/usr/a2", "/usr/b", "/opt/lib"}, got); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	if got, err := loaderFolders(filepath.Join(dir, "none.conf"), 0); err != nil || got != nil {
		t.Errorf("a missing file gives %q, %v", got, err)
	}
	if _, err := loaderFolders(filepath.Join(dir, "loop.conf"), 0); err == nil {
		t.Error("a file that includes itself is no error")
	}
}
