package vault_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/vault"
)

// transit answers as the transit engine of HashiCorp Vault: what it encrypts is
// the text with its bytes turned over, which is enough to see that nothing else
// opens it.
func transit(t *testing.T, away *atomic.Bool) string {
	t.Helper()
	turned := func(s string) string {
		b := []byte(s)
		for i := range b {
			b[i] ^= 0x55
		}
		return string(b)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Plaintext, Ciphertext string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || away.Load() || r.Header.Get("X-Vault-Token") != "t" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		data := map[string]any{}
		switch r.URL.Path {
		case "/v1/transit/encrypt/drydock":
			data["ciphertext"] = "vault:v1:" + base64.StdEncoding.EncodeToString([]byte(turned(in.Plaintext)))
		case "/v1/transit/decrypt/drydock":
			text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(in.Ciphertext, "vault:v1:"))
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			data["plaintext"] = turned(string(text))
		default:
			w.WriteHeader(http.StatusNotFound)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// The keys move from the file to a key management service, of which the server
// needs an answer when it starts and none to read.
func TestKeyManagementService(t *testing.T) { // not parallel: its address is in the environment
	var away atomic.Bool
	t.Setenv("VAULT_ADDR", transit(t, &away))
	t.Setenv("VAULT_TOKEN", "t")
	t.Setenv("VAULT_MAX_RETRIES", "0")
	w := newWorld(t)
	w.set(t, "a", "kept")
	r := w.rotation()
	r.Wrapper = "hashivault://drydock"
	if _, err := r.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.opener.Dir, "keys/vault.key")); err != nil {
		t.Fatal(err)
	}
	w.want(t, "a", "", "kept")
	keys, err := vault.OpenKeys(t.Context(), w.store, w.opener, r.Wrapper)
	if err != nil {
		t.Fatal(err)
	}
	w.config.Keys = keys
	w.Service = vault.NewService(w.config)
	away.Store(true)
	w.want(t, "a", "", "kept")
	w.set(t, "b", "new")
	if _, err := vault.OpenKeys(t.Context(), w.store, w.opener, r.Wrapper); drydock.CodeOf(err) != drydock.Unavailable {
		t.Error("the keys open without the service: ", err)
	}
	if _, err := w.rotation().Rotate(t.Context()); err == nil {
		t.Error("keys are replaced without the service")
	}
	w.want(t, "b", "", "new")
	for _, name := range []string{"gcpkms://x", "https://x", "azurekeyvault://"} {
		if _, err := w.opener.Open(t.Context(), name); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}
