package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The git of builds is found wherever programs are.
func TestEnterScript(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's $HOME")
	own := filepath.Join(dir, "drydockd")
	script := filepath.Join(dir, "git")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("#!/bin/sh\nprintf '<%s>' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, enterScript(own, "/proc/1", "127.0.0.1:1", "/o'/git"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "sh", script, "fetch", "a b").CombinedOutput()
	if want := "<enter></proc/1><127.0.0.1:1></o'/git><fetch><a b>"; err != nil || string(out) != want {
		t.Errorf("%q %v, want %q", out, err, want)
	}
}
