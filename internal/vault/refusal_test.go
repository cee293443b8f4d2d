package vault_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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

// Those without a token can't fill the disk with records, and that there are more of
// them is recorded.
func TestRecordsOfStrangersAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := vault.NewHandler(w.Service, nobodys{}, func(*http.Request) string { return "https://login.test" })
	flood := func(vault, from string, requests int, want ...int) {
		t.Helper()
		before := len(w.audit)
		for range requests {
			if status := ask(t, h, "GET", "https://"+vault+".vault.drydock.test:8443/secrets/a", from); status != http.StatusUnauthorized {
				t.Fatal(status)
			}
		}
		got := map[string]int{}
		for _, r := range w.audit[before:] {
			got[r.Detail]++
		}
		counts := []int{got["Unauthorized"], got["MoreOfAddressLeftOut"], got["MoreLeftOut"]}
		if !slices.Equal(counts, want) || len(w.audit)-before != counts[0]+counts[1]+counts[2] {
			t.Errorf("%s: the records of %d requests to %s are %v, want %v", from, requests, vault, got, want)
		}
	}
	flood("nosuch", "192.0.2.0:4711", 100, 0, 0, 0)
	flood("box", "192.0.2.0:4711", 30, 30, 0, 0)
	flood("box", "192.0.2.0:4711", 50, 0, 1, 0)
	for i := 1; i < 9; i++ {
		flood("box", fmt.Sprintf("192.0.2.%d:4711", i), 50, 30, 1, 0)
	}
	flood("box", "[2001:db8:0:1::1]:4711", 20, 20, 0, 0)
	flood("box", "[2001:db8:0:1:ffff::2]:4711", 20, 10, 1, 0)
	flood("box", "[2001:db8:0:2::1]:4711", 20, 0, 0, 1)
	flood("box", "[2001:db8:0:3::1]:4711", 20, 0, 0, 0)
	w.now = w.now.Add(time.Minute)
	flood("box", "[::ffff:192.0.2.0]:4711", 20, 20, 0, 0)
	flood("box", "[::ffff:192.0.2.1]:4711", 20, 20, 0, 0)
	flood("box", "192.0.2.0:4711", 20, 10, 1, 0)
}
