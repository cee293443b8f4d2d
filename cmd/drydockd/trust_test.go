package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock/internal/certs"
)

func TestTrust(t *testing.T) {
	t.Parallel()
	root, data := t.TempDir(), t.TempDir()
	expect := func(status int, stdout, stderr []string, args ...string) {
		t.Helper()
		b := newBench(t)
		b.trustStore = &certs.TrustStore{Root: root, Run: func(context.Context, string, ...string) ([]byte, error) { return nil, nil }}
		b.expect(t, status, stdout, stderr, args...)
	}
	store := filepath.Join(root, "usr/local/share/ca-certificates")
	for _, dir := range []string{store, filepath.Join(data, certsFolder)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	expect(2, nil, []string{"reading the certificate authority", "start the server once"}, "trust", "--data", data)
	if err := os.WriteFile(filepath.Join(data, certsFolder, certs.CertificateFile), []byte("ca"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(0, []string{"certs.d/contoso.azurecr.drydock.test:8443/drydock-ca.crt", "drydock-drydock.test.crt"}, nil,
		"trust", "--data", data, "--listen", ":8443", "Contoso")
	expect(2, nil, []string{`registry name "../x"`}, "trust", "--data", data, "../x")
	expect(0, nil, nil, "trust", "--data", data, "--remove")
	if left, err := os.ReadDir(store); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// The names of a server that was started with others are known from its folder.
func TestTrustKnowsTheServer(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, map[string][]string{"domain": {"drydock.example"}, "port": {"8443"}})
	d.registry(t, "Contoso")
	d.serving(t)()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "usr/local/share/ca-certificates"), 0o755); err != nil {
		t.Fatal(err)
	}
	expect := func(status int, stdout, stderr string, args ...string) {
		t.Helper()
		b := newBench(t)
		b.trustStore = &certs.TrustStore{Root: root, Run: func(context.Context, string, ...string) ([]byte, error) { return nil, nil }}
		b.expect(t, status, []string{stdout}, []string{stderr}, append([]string{"trust", "--data", d.config.Data}, args...)...)
	}
	expect(1, "", `no registry "nosuchreg"`, "contoso", "nosuchreg")
	if left, err := os.ReadDir(filepath.Join(root, "etc")); err == nil {
		t.Error("it has written", left)
	}
	expect(0, "certs.d/contoso.azurecr.drydock.example:8443/drydock-ca.crt", "", "contoso")
	expect(0, "certs.d/contoso.azurecr.drydock.example:9443/drydock-ca.crt", "", "contoso", "--port", "9443")
	expect(0, "certs.d/contoso.azurecr.drydock.example/drydock-ca.crt", "", "contoso", "--listen", ":443")
	expect(0, "", "", "--remove")
	if left, err := filepath.Glob(filepath.Join(root, "etc/docker/certs.d/*")); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestShellWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"/var/lib/drydock": "/var/lib/drydock", "/my data": "'/my data'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'"} {
		if got := shellWord(text); got != want {
			t.Errorf("%q becomes %s", text, got)
		}
	}
}

func TestConfigNamesEveryMistake(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "drydock.yaml")
	if err := os.WriteFile(file, []byte("listen: here\nproxy:\n  https: http://u:hush@p:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	newBench(t).expect(t, 2, nil, []string{"drydockd: the configuration has 2 mistakes:\n  ", ":1: listen: \"here\"", "\n  --runs-slots: "}, "config", "--config", file, "--runs-slots", "many")
	newBench(t).expect(t, 0, []string{"listen: :8443 # --listen", "https: http://u:***@p:1"}, nil, "config", "--config", file, "--listen", ":8443")
	newBench(t).expect(t, 2, nil, []string{"reading the configuration"}, "config", "--config", file+"x")
}
