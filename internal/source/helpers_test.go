package source_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source"
)

// fetcher is a fetcher under test, with what it logged.
type fetcher struct {
	source.Fetcher
	t   *testing.T
	mu  sync.Mutex
	log []string

	open int // folders that were fetched and not closed
}

func newFetcher(t *testing.T) *fetcher {
	t.Helper()
	f := &fetcher{t: t}
	f.Dir, f.Env = t.TempDir(), []string{"PATH=" + os.Getenv("PATH")}
	f.Log = func(format string, args ...any) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.log = append(f.log, fmt.Sprintf(format, args...))
	}
	return f
}

// fetch fetches a source, and checks after the test that closing removes it.
func (f *fetcher) fetch(spec string) *source.Fetched {
	f.t.Helper()
	got, err := f.Fetch(f.t.Context(), spec)
	if err != nil {
		f.t.Fatalf("fetching %s: %v", spec, err)
	}
	if strings.HasPrefix(got.Dir, f.Dir) {
		f.open++
	}
	f.t.Cleanup(func() {
		if err := got.Close(); err != nil {
			f.t.Error(err)
		}
		if _, err := os.Stat(got.Dir); err == nil && strings.HasPrefix(got.Dir, f.Dir) {
			f.t.Errorf("%s is there after Close", got.Dir)
		}
	})
	return got
}

// refused fetches a source that has to be refused with a message for users.
func (f *fetcher) refused(spec, want string) *drydock.Error {
	f.t.Helper()
	got, err := f.Fetch(f.t.Context(), spec)
	if err == nil {
		f.t.Errorf("fetching %s succeeded: %+v", spec, got)
		return &drydock.Error{}
	}
	var user *drydock.Error
	if !errors.As(err, &user) {
		f.t.Errorf("fetching %s: %v is no *drydock.Error", spec, err)
		return &drydock.Error{}
	}
	if !strings.Contains(err.Error(), want) {
		f.t.Errorf("fetching %s: %q, want %q", spec, err, want)
	}
	f.empty()
	return user
}

// empty checks that the scratch folder holds only what is still open.
func (f *fetcher) empty() {
	f.t.Helper()
	if left, _ := filepath.Glob(filepath.Join(f.Dir, "*")); len(left) != f.open {
		f.t.Errorf("left behind: %v", left)
	}
}

// logged reports whether a line of the log holds a text.
func (f *fetcher) logged(text string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.log, func(l string) bool { return strings.Contains(l, text) })
}

// tree lists a folder as "mode name" or "mode name=content" or "name -> target",
// without .git.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		if d.Name() == ".git" {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		name, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			out = append(out, fmt.Sprintf("%o %s/", info.Mode().Perm(), name))
		case d.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			out = append(out, name+" -> "+target)
		default:
			data, err := os.ReadFile(path)
			out = append(out, fmt.Sprintf("%o %s=%s", info.Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky), name, data))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// entry is an entry of an archive made by a test.
type entry struct {
	tar.Header
	body string
}

func file(name, body string, mode int64) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(body))}, body}
}

func folder(name string, mode int64) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode}, ""}
}

func symlink(name, target string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}, ""}
}

func hardlink(name, target string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target, Mode: 0o644}, ""}
}

func node(name string, kind byte) entry {
	return entry{tar.Header{Name: name, Typeflag: kind, Mode: 0o644, Devmajor: 1, Devminor: 3}, ""}
}

// archive makes a tar archive.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// write writes a file of the test and returns its name.
func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}
