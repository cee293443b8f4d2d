package registry

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// tokenPath is where the token endpoint is.
const tokenPath = "/token"

// tokens are the bearer tokens that were given and are good.
type tokens struct {
	mu     sync.Mutex
	grants map[string][]scope
}

func newTokens() *tokens { return &tokens{grants: map[string][]scope{}} }

// issue returns a new token for what is granted.
func (t *tokens) issue(granted []scope) string {
	token := rand.Text()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grants[token] = granted
	return token
}

// lookup returns what the token allows, nil if it is no good.
func (t *tokens) lookup(token string) func(scope) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	granted, ok := t.grants[token]
	if !ok {
		return nil
	}
	return func(need scope) bool {
		return need.repository == "" || slices.ContainsFunc(granted, func(have scope) bool {
			return have.repository == need.repository && !slices.ContainsFunc(need.actions, func(action string) bool {
				return !slices.Contains(have.actions, action)
			})
		})
	}
}

// ExpireTokens makes every token that was given so far no good.
func (r *Registry) ExpireTokens() {
	r.tokens.mu.Lock()
	defer r.tokens.mu.Unlock()
	clear(r.tokens.grants)
}

// serveToken gives a token for the scopes of the request that its caller may
// have, as the Docker registry's token specification says: for Basic credentials
// by GET, for a password or a refresh token (which here is a user's password) in
// a form by POST, or for none.
func (g *guard) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	allowed := g.tokenCaller(r)
	if allowed == nil {
		writeError(w, http.StatusUnauthorized, "incorrect username or password")
		return
	}
	var granted []scope
	for _, text := range r.Form["scope"] {
		for field := range strings.FieldsSeq(text) {
			granted = append(granted, grant(field, allowed))
		}
	}
	token := g.tokens.issue(granted)
	writeJSON(w, http.StatusOK, map[string]any{
		"token": token, "access_token": token,
		"expires_in": 300, "issued_at": time.Now().UTC().Format(time.RFC3339),
	})
}

// grant returns the part of a scope in text form that is allowed.
func grant(text string, allowed func(scope) bool) scope {
	kind, rest, _ := strings.Cut(text, ":")
	colon := strings.LastIndex(rest, ":")
	if kind != "repository" || colon < 0 {
		return scope{}
	}
	granted := scope{repository: rest[:colon]}
	for action := range strings.SplitSeq(rest[colon+1:], ",") {
		if allowed(scope{granted.repository, []string{action}}) {
			granted.actions = append(granted.actions, action)
		}
	}
	return granted
}

// tokenCaller returns what those who ask for a token may have, nil for wrong
// credentials.
func (g *guard) tokenCaller(r *http.Request) func(scope) bool {
	user, password, ok := r.BasicAuth()
	if r.Method == http.MethodPost {
		switch r.PostForm.Get("grant_type") {
		case "password":
			user, password, ok = r.PostForm.Get("username"), r.PostForm.Get("password"), true
		case "refresh_token":
			user, password, ok = g.userOf(r.PostForm.Get("refresh_token")), r.PostForm.Get("refresh_token"), true
		}
	}
	switch {
	case !ok && g.options.AnonymousPull:
		return pullOnly
	case !ok:
		return func(scope) bool { return false }
	case !g.login(user, password):
		return nil
	}
	return func(s scope) bool { return g.may(user, s) }
}

// userOf returns the user with the given password.
func (g *guard) userOf(password string) string {
	for user, have := range g.options.Users {
		if have == password {
			return user
		}
	}
	return ""
}
