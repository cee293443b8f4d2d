package buildkit

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What an image says it trusts is read as its processes would: links keep within
// the image, and what is no file, or too large, counts as nothing.
func TestReadBelow(t *testing.T) {
	t.Parallel()
	root, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, "secret of the host")
	write(filepath.Join(root, "etc/pki/real.pem"), "certificates")
	for name, target := range map[string]string{
		"etc/ssl/absolute": "/etc/pki/real.pem", "etc/ssl/relative": "../pki/real.pem", "etc/ssl/above": "../../../../etc/pki/real.pem",
		"etc/ssl/twice": "relative", "etc/dir": "pki", "etc/ssl/loop": "loop", "etc/ssl/out": outside, "etc/ssl/up": "../../../../../.." + outside,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "etc/ssl/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(root, "etc/ssl/large"), strings.Repeat("x", maxBundle+1))
	for name, want := range map[string]string{
		"/etc/pki/real.pem": "certificates", "/etc/ssl/absolute": "certificates", "/etc/ssl/relative": "certificates",
		"/etc/ssl/above": "certificates", "/etc/ssl/twice": "certificates", "/etc/dir/real.pem": "certificates", "etc/pki/real.pem": "certificates",
		"/etc/ssl/loop": "", "/etc/ssl/out": "", "/etc/ssl/up": "", "/etc/ssl/pipe": "", "/etc/ssl/large": "", "/etc": "", "/": "", "/none": "", "/../" + outside: "",
	} {
		if text, err := readBelow(root, name); string(text) != want || (want == "") == (err == nil) {
			t.Errorf("%s: %.20q %v, want %q", name, text, err, want)
		}
	}
}
