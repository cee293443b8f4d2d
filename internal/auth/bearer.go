package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

type principalKey struct{}

// WithPrincipal returns a context of a request that a principal makes.
func WithPrincipal(ctx context.Context, p drydock.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns the principal of a request. There is one behind Require.
func PrincipalFrom(ctx context.Context) (drydock.Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(drydock.Principal)
	return p, ok
}

// Deny writes the answer to a request without a good token, whose status is 401
// and whose WWW-Authenticate is set. Services differ in the body.
type Deny func(w http.ResponseWriter, r *http.Request, refused *TokenError)

// Require returns a handler that passes on requests with a good token for an
// audience, their principal in the context. Trouble with the store is an answer
// 503 from unavailable.
func (a *Authority) Require(audience Audience, next http.Handler, deny Deny, unavailable func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := a.bearer(r, audience)
		var refused *TokenError
		switch {
		case err == nil:
			next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), p)))
		case errors.As(err, &refused):
			w.Header().Set("WWW-Authenticate", a.challenge(refused))
			deny(w, r, refused)
		default:
			unavailable(w, r, err)
		}
	})
}

// bearer verifies the token of a request.
func (a *Authority) bearer(r *http.Request, audience Audience) (drydock.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return drydock.Principal{}, &TokenError{"AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."}
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return drydock.Principal{}, &TokenError{"AuthenticationFailedInvalidHeader", "Authentication failed. The 'Authorization' header is provided in an invalid format."}
	}
	return a.Verify(r.Context(), strings.TrimSpace(token), audience)
}

// challenge words the header as Azure's resource manager does, without a space
// after its commas: some clients can't read those.
func (a *Authority) challenge(e *TokenError) string {
	quoted := strings.NewReplacer(`\`, `'`, `"`, `'`).Replace(e.Message)
	return fmt.Sprintf(`Bearer authorization_uri="%s/%s",error="invalid_token",error_description="%s"`, a.c.LoginURL, a.c.Tenant, quoted)
}
