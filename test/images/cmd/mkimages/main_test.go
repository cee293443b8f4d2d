package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/drydockhq/drydock/test/registry"
)

func TestWriteAndPush(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	dir := t.TempDir()
	for range 2 {
		if err := run(t.Context(), []string{"busybox=library/busybox:1"}, dir, r.Host); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(filepath.Join(dir, "busybox"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	written, err := digestOf(filepath.Join(dir, "busybox"))
	if err != nil {
		t.Fatal(err)
	}
	if pushed, err := r.Digest("library/busybox:1"); err != nil || pushed != written {
		t.Errorf("pushed %q, %v; written %q", pushed, err, written)
	}
}

func TestOtherFoldersAreLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "busybox", "notes.txt")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"busybox"}, dir, ""); err == nil {
		t.Error("wrote over a folder of the user")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("the user's file is %q, %v", text, err)
	}
}
