package walkthrough

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// Hub stands in for Docker Hub: who has no account gets a token, by which too many
// have pulled already, and who has a wrong password gets none.
type Hub struct {
	Host           string
	User, Password string

	registry *registry.Registry
}

// anonymous is the token of those who have no account.
const anonymous = "anonymous"

// newHub starts a hub with node:15-alpine, which goes with the test.
func newHub(t serve.TB) *Hub {
	t.Helper()
	dir := t.TempDir()
	open, err := registry.New(registry.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := images.Push(t.Context(), open.Host, images.Node); err != nil {
		t.Fatal(err)
	}
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	h := &Hub{User: "ann", Password: "hub-" + rand.Text()}
	h.registry, err = registry.New(registry.Options{
		Dir: dir, Users: map[string]string{h.User: h.Password}, Tokens: true, Middleware: tooManyPulls,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Host = h.registry.Host
	t.Cleanup(func() {
		if err := h.registry.Close(); err != nil {
			t.Error("closing the hub: ", err)
		}
	})
	return h
}

// tooManyPulls serves those who have no account.
func tooManyPulls(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, known := r.BasicAuth()
		switch {
		case r.URL.Path == "/token" && r.Method == http.MethodGet && !known:
			answer(w, http.StatusOK, map[string]any{"token": anonymous, "expires_in": 300})
		case r.Header.Get("Authorization") == "Bearer "+anonymous && strings.Contains(r.URL.Path, "/manifests/"):
			answer(w, http.StatusTooManyRequests, map[string]any{"errors": []any{map[string]string{
				"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit.",
			}}})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
