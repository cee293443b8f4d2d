package vault_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/vault"
)

// nobodys is an authority that takes no token.
type nobodys struct{}

// Require implements vault.Authority.
func (nobodys) Require(_ auth.Audience, _ http.Handler, deny auth.Deny, _ func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { deny(w, r, &auth.TokenError{Message: "no"}) })
}

// ask returns the status of an answer to somebody without a token.
func ask(t *testing.T, h http.Handler, method, url, from string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, url, nil)
	r.RemoteAddr = from
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer.Code
}

// What somebody without a good token wants of a vault is recorded, whatever it is.
func TestRefusedWithoutToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := vault.NewHandler(w.Service, nobodys{}, func(*http.Request) string { return "https://login.test" })
	for _, c := range []struct{ method, path, need, target string }{
		{"GET", "/secrets/Token?api-version=7.4", "get", "/secrets/Token"},
		{"GET", "/secrets/token/1234", "get", "/secrets/token"},
		{"GET", "/secrets", "list", ""},
		{"GET", "/secrets/token/versions", "versions", "/secrets/token"},
		{"PUT", "/secrets/token/", "set", "/secrets/token"},
		{"PATCH", "/Secrets/token/1234", "update", "/secrets/token"},
		{"DELETE", "/secrets/token", "delete", "/secrets/token"},
		{"POST", "/secrets/token/backup", "backup", "/secrets/token"},
		{"POST", "/secrets/restore", "restore", ""},
		{"GET", "/deletedsecrets", "list deleted", ""},
		{"GET", "/deletedsecrets/token", "get deleted", "/secrets/token"},
		{"POST", "/deletedsecrets/token/recover", "recover", "/secrets/token"},
		{"DELETE", "/deletedsecrets/token", "purge", "/secrets/token"},
		{"GET", "/secrets/a%20b", "get", ""},
	} {
		if status := ask(t, h, c.method, "https://box.vault.drydock.test:8443"+c.path, "192.0.2.9:4711"); status != http.StatusUnauthorized {
			t.Errorf("%s %s: %d", c.method, c.path, status)
		}
		got := w.last()
		want := drydock.AuditRecord{
			ID: got.ID, Time: got.Time, Name: "anonymous", From: "192.0.2.9", Action: "Microsoft.KeyVault/vaults/secrets/" + needs[c.need][1],
			Target: boxID.String() + c.target, Result: drydock.AuditDenied, Detail: "Unauthorized",
		}
		if got != want {
			t.Errorf("%s %s: %+v, want %+v", c.method, c.path, got, want)
		}
	}
	before := len(w.audit)
	for _, url := range []string{"https://other.vault.drydock.test:8443/secrets/a", "https://box.vault.drydock.test:8443/else/a"} {
		if status := ask(t, h, "GET", url, "192.0.2.9:4711"); status != http.StatusUnauthorized || len(w.audit) != before {
			t.Errorf("%s: %d, %+v", url, status, w.last())
		}
	}
	w.refuse = errors.New("the disk is full")
	if status := ask(t, h, "GET", "https://box.vault.drydock.test:8443/secrets/a", "192.0.2.9:4711"); status != http.StatusServiceUnavailable {
		t.Errorf("without a record: %d", status)
	}
}

// Those without a token can't fill the disk with records.
func TestRecordsOfStrangersAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := vault.NewHandler(w.Service, nobodys{}, func(*http.Request) string { return "https://login.test" })
	flood := func(addresses int) int {
		before := len(w.audit)
		for i := range addresses {
			for range 100 {
				if status := ask(t, h, "GET", "https://box.vault.drydock.test:8443/secrets/a", fmt.Sprintf("192.0.2.%d:4711", i)); status != http.StatusUnauthorized {
					t.Fatal(status)
				}
			}
		}
		return len(w.audit) - before
	}
	if n := flood(1); n != 30 {
		t.Errorf("%d records of one address", n)
	}
	if n := flood(20); n != 270 {
		t.Errorf("%d records of the others", n)
	}
	w.now = w.now.Add(time.Minute)
	if n := flood(1); n != 30 {
		t.Errorf("%d records in the next minute", n)
	}
}
