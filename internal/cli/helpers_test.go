package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

func writeTemp(t *testing.T, text []byte) string {
	t.Helper()
	dir := t.TempDir()
	writeFileIn(t, dir, "file", text)
	return filepath.Join(dir, "file")
}

func writeFileIn(t *testing.T, dir, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// fillNoise fills a buffer with what can't be compressed.
func fillNoise(p []byte) {
	rand.NewChaCha8([32]byte{1}).Read(p)
}

// untar returns the files of an archive.
func untar(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}
