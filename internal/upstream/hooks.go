package upstream

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// maxHook is how many bytes a delivery may have.
const maxHook = 1 << 20

// hookPatience is how long a delivery may take.
const hookPatience = 30 * time.Second

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
		refuse(w, http.StatusServiceUnavailable, "try again later")
		return
	}
	token, signature := presented(r)
	if token != "" && !same(token, secret) || token == "" && signature == "" {
		h.refused.warn(r.Context(), log, h.Now(), "a delivery to a registry's hook without the secret is refused")
		refuse(w, http.StatusUnauthorized, "the secret is missing or wrong")
		return
	}
	body, status := readHook(w, r)
	if status != 0 {
		h.refused.warn(r.Context(), log, h.Now(), "a delivery to a registry's hook can't be read", "status", status)
		refuse(w, status, http.StatusText(status))
		return
	}
	if token == "" && !signed(body, signature, secret) {
		h.refused.warn(r.Context(), log, h.Now(), "a delivery to a registry's hook with a wrong signature is refused")
		refuse(w, http.StatusUnauthorized, "the signature is wrong")
		return
	}
	h.take(w, r, log, body)
}

// take makes hints of a delivery that was let in.
func (h *Hooks) take(w http.ResponseWriter, r *http.Request, log *slog.Logger, body []byte) {
	hints, err := Hints(r.Header.Get("X-GitHub-Event"), payload(r.Header.Get("Content-Type"), body))
	if err != nil {
		log.WarnContext(r.Context(), "a delivery to a registry's hook is not understood", "error", err)
		refuse(w, http.StatusBadRequest, err.Error())
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

// signed checks a signature "sha256=…" of a body.
func signed(body []byte, signature, secret string) bool {
	text, ok := strings.CutPrefix(signature, "sha256=")
	got, err := hex.DecodeString(text)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return ok && err == nil && secret != "" && hmac.Equal(got, mac.Sum(nil))
}

// readHook reads a body, or returns the status to refuse it with. One that says
// that it is too long isn't read at all.
func readHook(w http.ResponseWriter, r *http.Request) ([]byte, int) {
	if r.ContentLength > maxHook {
		return nil, http.StatusRequestEntityTooLarge
	}
	// Whoever is slow must not hold the memory of many.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(hookPatience)) // not all kinds of writer can
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, http.StatusRequestEntityTooLarge
	case err != nil:
		return nil, http.StatusBadRequest
	}
	return body, 0
}

func refuse(w http.ResponseWriter, status int, why string) {
	if status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // what comes still is not read
	}
	http.Error(w, why, status)
}
