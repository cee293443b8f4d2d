package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/hook"
)

// Hooks receives what registries tell of pushes. A delivery is let in that has
// the secret of a registry of this server, or is signed with it; what it says is
// a reason to look at images, and no more. Its fields are set before its first
// use.
type Hooks struct {
	// Secret returns the secret of a registry by its name; one that is not there
	// is an error with code NotFound.
	Secret func(ctx context.Context, registry string) (string, error)
	// Hint looks at images, and returns how many.
	Hint func(Hint) int
	Log  *slog.Logger
	Now  func() time.Time

	refused refusals
}

var _ http.Handler = (*Hooks)(nil)

// Pattern is the path of deliveries, for an http.ServeMux.
const Pattern = "POST /hooks/registry/{registry}"

// ServeHTTP takes a delivery.
func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	registry := r.PathValue("registry")
	log := h.Log.With("registry", registry, "from", r.RemoteAddr)
	secret, err := h.Secret(r.Context(), registry)
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		log.ErrorContext(r.Context(), "reading the secret of a registry's hook", "error", err)
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	token, signature := presented(r)
	if token != "" && !same(token, secret) || token == "" && signature == "" {
		h.refused.warn(r.Context(), log, h.Now(), "a delivery to a registry's hook without the secret is refused")
		http.Error(w, "the secret is missing or wrong", http.StatusUnauthorized)
		return
	}
	body, status := hook.ReadBody(w, r)
	if status != 0 {
		h.refused.warn(r.Context(), log, h.Now(), "a delivery to a registry's hook can't be read", "status", status)
		http.Error(w, http.StatusText(status), status)
		return
	}
	if token == "" && !hook.Signed(secret, strings.TrimPrefix(signature, "sha256="), body) {
		h.refused.warn(r.Context(), log, h.Now(), "a delivery to a registry's hook with a wrong signature is refused")
		http.Error(w, "the signature is wrong", http.StatusUnauthorized)
		return
	}
	h.take(w, r, log, body)
}

// take makes hints of a delivery that was let in.
func (h *Hooks) take(w http.ResponseWriter, r *http.Request, log *slog.Logger, body []byte) {
	hints, err := Hints(r.Header.Get("X-GitHub-Event"), payload(r.Header.Get("Content-Type"), body))
	if err != nil {
		log.WarnContext(r.Context(), "a delivery to a registry's hook is not understood", "error", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	checked := 0
	for _, hint := range hints {
		n := h.Hint(hint)
		checked += n
		log.InfoContext(r.Context(), "a registry says that an image has changed",
			"host", hint.Host, "repository", hint.Repository, "tag", hint.Tag, "watched", n)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int{"checked": checked}) // whoever delivered may have left
}

// payload returns the JSON of a body, which GitHub can send as a field of a form.
func payload(contentType string, body []byte) []byte {
	if kind, _, _ := mime.ParseMediaType(contentType); kind != "application/x-www-form-urlencoded" {
		return body
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !form.Has("payload") {
		return body
	}
	return []byte(form.Get("payload"))
}

// presented returns how a caller shows that it knows the secret: with the secret
// itself, where its settings have a place for it, or with a signature of GitHub's
// form.
func presented(r *http.Request) (token, signature string) {
	authorization := r.Header.Get("Authorization")
	if _, password, ok := r.BasicAuth(); ok {
		return password, ""
	}
	scheme, rest, two := strings.Cut(authorization, " ")
	switch {
	case two && strings.EqualFold(scheme, "Bearer"):
		return strings.TrimSpace(rest), ""
	case authorization != "":
		return authorization, ""
	}
	if token := r.URL.Query().Get("token"); token != "" {
		return token, ""
	}
	return "", r.Header.Get("X-Hub-Signature-256")
}

// same compares a secret in constant time. No secret is like the empty one.
func same(got, secret string) bool {
	x, y := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(secret))
	return secret != "" && subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
