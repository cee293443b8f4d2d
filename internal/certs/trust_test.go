package certs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/certs"
)

func TestTrustStore(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var ran []string
	store := &certs.TrustStore{Root: root, Run: func(_ context.Context, program string, args ...string) ([]byte, error) {
		ran = append(ran, strings.Join(append([]string{program}, args...), " "))
		return nil, nil
	}}
	ca := []byte("an authority")
	if _, err := store.Add(t.Context(), "drydock.test", ca); drydock.CodeOf(err) != drydock.Unavailable {
		t.Error("a system without a store:", err)
	}
	if err := os.MkdirAll(filepath.Join(root, "etc/pki/ca-trust/source/anchors"), 0o755); err != nil {
		t.Fatal(err)
	}
	system, err := store.Add(t.Context(), "drydock.test", ca)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(system); err != nil || string(text) != string(ca) {
		t.Errorf("%q, %v", text, err)
	}
	docker, err := store.AddDocker("contoso.azurecr.drydock.test:8443", ca)
	if err != nil || !strings.Contains(docker, "certs.d/contoso.azurecr.drydock.test:8443/") {
		t.Error(docker, err)
	}
	if _, err := store.AddDocker("../../x", ca); err == nil {
		t.Error("a host with a path")
	}
	if err := errors.Join(store.Remove(t.Context(), "drydock.test"), store.RemoveDocker("drydock.test")); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{system, docker} {
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Error(file, "is still there:", err)
		}
	}
	if got := strings.Join(ran, ", "); got != "update-ca-trust extract, update-ca-trust extract" {
		t.Error("ran", got)
	}
}
