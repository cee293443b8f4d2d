package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// guard lets requests with the right credentials through to the registry.
type guard struct {
	options Options
	tokens  *tokens
	next    http.Handler
}

// scope is what a request does to a repository; the zero scope only asks for
// somebody to be logged in.
type scope struct {
	repository string
	actions    []string // pull, push, delete
}

// String returns the scope as a challenge names it.
func (s scope) String() string {
	return "repository:" + s.repository + ":" + strings.Join(s.actions, ",")
}

// scopeOf returns what r needs to be allowed.
func scopeOf(r *http.Request) scope {
	_, repository, _ := route(r.URL.Path)
	switch {
	case repository == "":
		return scope{}
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return scope{repository, []string{"pull"}}
	case r.Method == http.MethodDelete:
		return scope{repository, []string{"delete"}}
	}
	return scope{repository, []string{"pull", "push"}}
}

// ServeHTTP answers token requests and those without credentials, and passes the
// rest on.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.options.Tokens && r.URL.Path == tokenPath {
		g.serveToken(w, r)
		return
	}
	allowed, known := g.caller(r)
	need := scopeOf(r)
	switch {
	case allowed != nil && allowed(need):
		g.unmount(r, allowed)
		g.next.ServeHTTP(w, r)
	case known && !g.options.Tokens:
		writeError(w, http.StatusForbidden, "requested access to the resource is denied")
	default:
		w.Header().Set("WWW-Authenticate", g.challenge(r, need, known))
		writeError(w, http.StatusUnauthorized, "authentication required")
	}
}

// unmount turns a request to mount a blob from a repository that the caller may
// not read into one that starts an upload.
func (g *guard) unmount(r *http.Request, allowed func(scope) bool) {
	query := r.URL.Query()
	if from := query.Get("from"); from != "" && !allowed(scope{from, []string{"pull"}}) {
		query.Del("mount")
		query.Del("from")
		r.URL.RawQuery = query.Encode()
	}
}

// caller returns what those who sent r may do, nil for nothing, and whether
// their credentials are right.
func (g *guard) caller(r *http.Request) (allowed func(scope) bool, known bool) {
	if g.options.Tokens {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			return nil, false
		}
		granted := g.tokens.lookup(token)
		return granted, granted != nil
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		// A ping must be refused, or clients never learn that they may log in.
		_, repository, _ := route(r.URL.Path)
		return g.anonymous(repository != ""), false
	}
	if !g.login(user, password) {
		return nil, false
	}
	return func(s scope) bool { return g.may(user, s) }, true
}

// anonymous returns what those without credentials may do.
func (g *guard) anonymous(repository bool) func(scope) bool {
	if !g.options.AnonymousPull || !repository {
		return nil
	}
	return pullOnly
}

func pullOnly(s scope) bool { return slices.Equal(s.actions, []string{"pull"}) }

// login reports whether the password is the user's.
func (g *guard) login(user, password string) bool {
	have, ok := g.options.Users[user]
	return ok && have == password
}

// may reports whether the user may do all of s.
func (g *guard) may(user string, s scope) bool {
	return g.options.Allow == nil || !slices.ContainsFunc(s.actions, func(action string) bool {
		return !g.options.Allow(user, s.repository, action)
	})
}

// challenge says how to get in.
func (g *guard) challenge(r *http.Request, need scope, known bool) string {
	if !g.options.Tokens {
		return `Basic realm="drydock test registry"`
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	challenge := fmt.Sprintf(`Bearer realm="%s://%s%s",service="%s"`, scheme, r.Host, tokenPath, r.Host)
	if need.repository != "" {
		challenge += fmt.Sprintf(`,scope="%s"`, need)
	}
	if known {
		challenge += `,error="insufficient_scope"`
	}
	return challenge
}
