package vault_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/arm/armtest"
	"github.com/drydockhq/drydock/internal/vault"
)

// A vault takes the authority's tokens for vaults until they end, and no others.
func TestTokensOfTheAuthority(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t), armtest.Start(t)
	h := vault.NewHandler(w.Service, s.Authority, func(*http.Request) string { return s.URL })
	ask := func(token string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://box.vault.drydock.test/secrets/token?api-version=7.4", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		return answer.Code
	}
	good := s.TokenFor(t, s.Admin, armtest.Vault)
	for what, c := range map[string]struct {
		token  string
		status int
	}{
		"for vaults":               {good, http.StatusForbidden}, // known, and without rights in this one
		"for the resource manager": {s.Token(t, s.Admin), http.StatusUnauthorized},
		"for the directory":        {s.TokenFor(t, s.Admin, armtest.Graph), http.StatusUnauthorized},
		"garbage":                  {"garbage", http.StatusUnauthorized},
	} {
		if status := ask(c.token); status != c.status {
			t.Errorf("%s: %d, want %d", what, status, c.status)
		}
	}
	s.Pass(2 * time.Hour)
	if status := ask(good); status != http.StatusUnauthorized {
		t.Errorf("two hours later: %d", status)
	}
}
