package vault

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Authority checks bearer tokens; an auth.Authority is one.
type Authority interface {
	Require(audience auth.Audience, next http.Handler, deny auth.Deny, unavailable func(http.ResponseWriter, *http.Request, error)) http.Handler
}

// Handler serves the secrets of a Service on the hosts of vaults.
type Handler struct {
	service *Service
	// login returns the URL of the authority, with the tenant, for whoever asks.
	login     func(*http.Request) string
	next      http.Handler
	strangers strangers
}

// NewHandler returns a Handler.
func NewHandler(s *Service, a Authority, login func(*http.Request) string) *Handler {
	h := &Handler{service: s, login: login, strangers: strangers{now: s.c.Now}}
	h.next = a.Require(auth.Vault, http.HandlerFunc(h.serve), h.deny, h.fail)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.next.ServeHTTP(w, r) }

// deny tells clients where to get a token, and for what. Clients check that the
// host they asked is below that of the resource.
func (h *Handler) deny(w http.ResponseWriter, r *http.Request, refused *auth.TokenError) {
	if err := h.refused(r); err != nil {
		h.fail(w, r, err)
		return
	}
	_, suffix, _ := strings.Cut(r.Host, ".")
	w.Header().Set("WWW-Authenticate", `Bearer authorization="`+h.login(r)+`", resource="https://`+suffix+`"`)
	h.fail(w, r, &Error{Status: http.StatusUnauthorized, Code: "Unauthorized", Message: refused.Message})
}

// call is a request whose token is good.
type call struct {
	*http.Request
	service *Service
	vault   string
	by      Caller
	base    string // URL of the vault
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	p, ok := auth.PrincipalFrom(r.Context())
	if !ok {
		h.fail(w, r, errors.New("a request without a principal got past the token check"))
		return
	}
	name, _, _ := strings.Cut(r.Host, ".")
	c := &call{Request: r, service: h.service, vault: name, by: Caller{p, peer(r, p)}, base: "https://" + r.Host}
	status, body, err := c.route(w)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.write(w, r, status, body)
}

// peer says from where a request comes.
func peer(r *http.Request, p drydock.Principal) string {
	if p.Run != nil {
		return origin(p)
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, known := errorOf(err)
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	body := map[string]any{"code": e.Code, "message": e.Message}
	if e.Inner != "" {
		body["innererror"] = map[string]any{"code": e.Inner}
	}
	h.write(w, r, e.Status, map[string]any{"error": body})
	if (!known || e.Status >= http.StatusInternalServerError) && !errors.Is(err, context.Canceled) {
		h.service.c.Log.Error("a request to a vault failed", "method", r.Method, "host", r.Host, "path", r.URL.Path,
			"request", w.Header().Get("X-Ms-Request-Id"), "error", err)
	}
}

func (h *Handler) write(w http.ResponseWriter, r *http.Request, status int, body any) {
	header := w.Header()
	header.Set("X-Ms-Request-Id", h.service.c.NewID())
	if sent := r.Header.Get("X-Ms-Client-Request-Id"); sent != "" && len(sent) <= 128 {
		header.Set("X-Ms-Client-Request-Id", sent)
	}
	header.Set("X-Ms-Keyvault-Region", "local")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if body == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the answer can't be written", http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(text) // a client that is gone needs no answer
}
