package walkthrough

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

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

// wantHub checks that the images of the hub were had by the account that the vault
// has, and that others are given none.
func (p *Person) wantHub(ctx context.Context) error {
	hub := p.stage.hub
	errs := []error{hub.wantOnlyAccount(hub.registry.Requests()[p.asked:])}
	for name, want := range map[string]string{"registry-dockerhub-user": hub.User, "registry-dockerhub-password": hub.Password} {
		got, err := p.stage.ask(ctx, "keyvault", "secret", "show", "--vault-name", p.Names.Vault, "-n", name, "--query", "value", "-o", "tsv")
		switch {
		case err != nil:
			errs = append(errs, err)
		case strings.TrimSpace(got) != want:
			errs = append(errs, fmt.Errorf("the vault has another %s than the hub", name))
		}
	}
	return errors.Join(append(errs,
		hub.refuses(ctx, authn.Anonymous, http.StatusTooManyRequests),
		hub.refuses(ctx, &authn.Basic{Username: hub.User, Password: hub.Password + "x"}, http.StatusUnauthorized))...)
}

// wantOnlyAccount checks that somebody has pulled by the account, that nobody has
// tried another password, and that nobody has come without one but the server, when
// it looked what a new task is built on: that has no credentials yet.
func (h *Hub) wantOnlyAccount(requests []registry.Request) error {
	var errs []error
	known, pulled := false, false
	for _, r := range requests {
		token := r.Kind == registry.KindToken
		nobody := token && r.Method == http.MethodGet && r.User == ""
		if token && r.Status != http.StatusOK || known && (nobody || r.Status == http.StatusTooManyRequests) {
			errs = append(errs, fmt.Errorf("the hub was asked without the vault's account: %s %s as %q, status %d", r.Method, r.Path, r.User, r.Status))
		}
		known = known || token && !nobody && r.Status == http.StatusOK
		pulled = pulled || known && r.Kind == registry.KindManifest && r.Status == http.StatusOK
	}
	if !pulled {
		errs = append(errs, errors.New("nothing was pulled from the hub"))
	}
	return errors.Join(errs...)
}

// refuses checks what the hub says to somebody who pulls.
func (h *Hub) refuses(ctx context.Context, who authn.Authenticator, status int) error {
	ref, err := name.ParseReference(h.Host + "/" + images.Node)
	if err != nil {
		return err
	}
	// The client would try again, for seconds.
	once := remote.WithRetryStatusCodes()
	_, err = remote.Get(ref, remote.WithContext(ctx), remote.WithAuth(who), once)
	if refusal := (*transport.Error)(nil); !errors.As(err, &refusal) || refusal.StatusCode != status {
		return fmt.Errorf("pulling from the hub ended with %v, not with the status %d", err, status)
	}
	return nil
}
