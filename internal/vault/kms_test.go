package vault_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/keyvault/azkeys"
	"gocloud.dev/secrets/azurekeyvault"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/vault"
	"github.com/drydockhq/drydock/internal/vault/vaulttest"
)

// The keys move from the file to a key management service, of which the server
// needs an answer when it starts and none to read.
func TestKeyManagementService(t *testing.T) { // not parallel: its address is in the environment
	h := vaulttest.NewHashiCorp(t)
	t.Setenv("VAULT_ADDR", h.URL)
	t.Setenv("VAULT_TOKEN", vaulttest.HashiCorpToken)
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
	h.Away.Store(true)
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

// awsKMS answers as the key management service of AWS does to keys' own
// operations: what is encrypted is the text behind a mark.
func awsKMS(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			KeyID                     string `json:"KeyId"`
			Plaintext, CiphertextBlob []byte
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		opened, ok := []byte(nil), false
		if json.NewDecoder(r.Body).Decode(&in) == nil && strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=id/") && strings.Contains(r.Header.Get("Authorization"), "/eu-central-1/kms/") {
			opened, ok = bytes.CutPrefix(in.CiphertextBlob, []byte("kms:"))
		}
		switch operation := r.Header.Get("X-Amz-Target"); {
		case operation == "TrentService.Encrypt" && in.KeyID == "alias/drydock":
			json.NewEncoder(w).Encode(map[string]any{"KeyId": in.KeyID, "CiphertextBlob": append([]byte("kms:"), in.Plaintext...)})
		case operation == "TrentService.Decrypt" && ok:
			json.NewEncoder(w).Encode(map[string]any{"KeyId": "alias/drydock", "Plaintext": opened})
		default:
			w.WriteHeader(http.StatusBadRequest)
			json.NewEncoder(w).Encode(map[string]any{"__type": "NotFoundException", "message": "no such key"})
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// azureKeys answers as Azure's key vaults do, with a key of 2048 bits: what is
// longer than such a key takes is refused.
func azureKeys(t *testing.T) azurekeyvault.ClientMakerT {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Alg, Value string }
		if r.Header.Get("Authorization") != "Bearer of the server" {
			w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.example/`+tenant+`", resource="https://vault.azure.net"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		err := json.NewDecoder(r.Body).Decode(&in)
		value, wrong := base64.RawURLEncoding.DecodeString(in.Value)
		if err = errors.Join(err, wrong); err == nil {
			switch r.Host + r.URL.Path {
			case "theirs.vault.azure.net/keys/drydock/v1/encrypt":
				value, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, value, nil)
			case "theirs.vault.azure.net/keys/drydock/v1/decrypt":
				value, err = rsa.DecryptOAEP(sha256.New(), nil, key, value, nil)
			default:
				err = errors.New("no such key")
			}
		}
		if err != nil || in.Alg != "RSA-OAEP-256" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"kid": "https://" + r.Host + "/keys/drydock/v1", "value": base64.RawURLEncoding.EncodeToString(value)})
	}))
	t.Cleanup(s.Close)
	return func(at string) (*azkeys.Client, error) {
		var hosts, scopes []string
		o := azcore.ClientOptions{Transport: toServer{s, &hosts}, Retry: policy.RetryOptions{MaxRetries: -1}}
		return azkeys.NewClient(at, staticToken{&scopes}, &azkeys.ClientOptions{ClientOptions: o})
	}
}

// The keys are encrypted by the services of AWS and Azure too, which here are
// stand-ins that answer as those are documented.
func TestKeysOfClouds(t *testing.T) { // not parallel: credentials are in the environment
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	for _, name := range []string{
		"awskms:///alias/drydock?region=eu-central-1&endpoint=" + url.QueryEscape(awsKMS(t)),
		"azurekeyvault://theirs.vault.azure.net/keys/drydock/v1",
	} {
		w := newWorld(t)
		w.opener.AzureKeys = azureKeys(t)
		w.set(t, "a", "kept")
		r := w.rotation()
		r.Wrapper = name
		if _, err := r.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(w.opener.Dir, "keys/vault.key")); err != nil {
			t.Fatal(err)
		}
		keys, err := vault.OpenKeys(t.Context(), w.store, w.opener, name)
		if err != nil {
			t.Fatal(err)
		}
		w.config.Keys = keys
		w.Service = vault.NewService(w.config)
		w.want(t, "a", "", "kept")
		other := strings.Replace(name, "/drydock", "/other", 1)
		r.Wrapper = other
		if _, err := r.Rotate(t.Context()); err == nil {
			t.Errorf("%s encrypts", other)
		}
		w.want(t, "a", "", "kept")
	}
	// As the environment says, which says nothing.
	if _, err := (vault.Opener{}).Open(t.Context(), "azurekeyvault://theirs.vault.azure.net/keys/drydock"); err != nil {
		t.Error(err)
	}
}
