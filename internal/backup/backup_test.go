package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/backup"
)

func pack(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	err := backup.Write(t.Context(), &b, backup.Source{
		Dir: dir, Parts: []string{"keys", "blobs", "missing"}, Database: "drydock.db",
		Snapshot: func(_ context.Context, file string) error { return os.WriteFile(file, []byte("snapshot"), 0o600) },
		Info:     backup.Info{Created: time.Now(), Program: "v1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func data(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"keys/seal.key": "k", "blobs/a/b/x": "xx", "blobs/empty/.keep": "", "engine/cache": "big", "drydock.db": "live"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "blobs", "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	dir := data(t)
	archive := pack(t, dir)
	to := filepath.Join(t.TempDir(), "new", "data")
	info, err := backup.Read(t.Context(), bytes.NewReader(archive), to)
	if err != nil || info.Program != "v1" {
		t.Fatal(info, err)
	}
	for name, want := range map[string]string{"keys/seal.key": "k", "blobs/a/b/x": "xx", "drydock.db": "snapshot"} {
		if got, err := os.ReadFile(filepath.Join(to, name)); string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"engine", "blobs/link", "drydock-backup.json"} {
		if _, err := os.Lstat(filepath.Join(to, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	if info, err := os.Stat(filepath.Join(to, "keys/seal.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if _, err := backup.Read(t.Context(), bytes.NewReader(archive), to); drydock.CodeOf(err) != drydock.Conflict {
		t.Error("over a folder that is in use:", err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 4 {
		t.Errorf("the data folder holds %v", left)
	}
}

func TestDamagedArchivesLeaveNothing(t *testing.T) {
	t.Parallel()
	good := pack(t, data(t))
	evil := func(h *tar.Header) []byte {
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w := tar.NewWriter(z)
		info := []byte(`{"format":1}`)
		for _, step := range []func() error{
			func() error { return w.WriteHeader(&tar.Header{Name: "drydock-backup.json", Size: int64(len(info))}) },
			func() error { _, err := w.Write(info); return err },
			func() error { return w.WriteHeader(h) },
			w.Close, z.Close,
		} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	for name, archive := range map[string][]byte{
		"cut off": good[:len(good)-20], "nothing": nil, "text": []byte("hello"),
		"outside": evil(&tar.Header{Name: "../x"}),
		"link":    evil(&tar.Header{Typeflag: tar.TypeSymlink, Name: "x", Linkname: "/etc"}),
	} {
		parent := t.TempDir()
		if _, err := backup.Read(t.Context(), bytes.NewReader(archive), filepath.Join(parent, "data")); err == nil {
			t.Error(name, "was unpacked")
		}
		if left, _ := os.ReadDir(parent); len(left) != 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
}
