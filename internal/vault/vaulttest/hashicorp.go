package vaulttest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// What HashiCorp wants of its clients: the namespace of those only that read
// entries.
const (
	HashiCorpToken     = "good"
	HashiCorpNamespace = "team"
)

// HashiCorp is HashiCorp Vault. It has the entry ci/token at secret/, a key-value
// engine of version 2, with the values old and new; the entry token at old/, one
// of version 1; and the key drydock of the transit engine.
type HashiCorp struct {
	URL  string
	Away atomic.Bool // refuses everything

	transit transit
}

// NewHashiCorp starts one that ends with the test.
func NewHashiCorp(t testing.TB) *HashiCorp {
	t.Helper()
	h := &HashiCorp{}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	h.URL = s.URL
	return h
}

// ServeHTTP implements http.Handler.
func (h *HashiCorp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body := http.StatusForbidden, any(map[string]any{"errors": []string{"permission denied"}})
	if !h.Away.Load() && r.Header.Get("X-Vault-Token") == HashiCorpToken {
		status, body = h.answer(r)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

func (h *HashiCorp) answer(r *http.Request) (status int, body any) {
	if operation, ok := transitPath(r.URL.Path); ok {
		return h.transit.answer(operation, r.Body)
	}
	values := map[string]string{"": "new", "1": "old", "2": "new"}
	value, ok := values[r.URL.Query().Get("version")]
	switch {
	case r.Header.Get("X-Vault-Namespace") != HashiCorpNamespace:
		return http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}}
	case r.URL.Path == "/v1/secret/data/ci/token" && ok:
		return http.StatusOK, map[string]any{"data": map[string]any{
			"data":     map[string]any{"value": value, "user": "me", "number": 1},
			"metadata": map[string]any{"version": 2, "created_time": "2026-11-21T08:00:00Z", "destroyed": false},
		}}
	case r.URL.Path == "/v1/secret/data/ci/deleted":
		return http.StatusNotFound, map[string]any{"data": map[string]any{
			"data":     nil,
			"metadata": map[string]any{"version": 1, "created_time": "2026-11-21T08:00:00Z", "deletion_time": "2026-11-21T09:00:00Z"},
		}}
	case r.URL.Path == "/v1/old/token":
		return http.StatusOK, map[string]any{"data": map[string]any{"value": "of old"}}
	}
	return http.StatusNotFound, map[string]any{"errors": []string{}}
}
