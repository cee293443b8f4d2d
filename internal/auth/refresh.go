package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/drydockhq/drydock"
)

// How long a person stays signed in that goes on using a client: for good if
// every 90 days, as in Azure, and a working day if another provider knows who is
// still welcome.
const (
	sessionLifetime       = 90 * 24 * time.Hour
	foreignSessionMaximum = 12 * time.Hour
)

// refreshAudience keeps refresh tokens apart from all others.
func (a *Authority) refreshAudience() string { return a.Issuer() + "/refresh" }

// personRefresh returns a refresh token of a session. It ends with the person's
// password.
func (a *Authority) personRefresh(s *session) (string, error) {
	c := a.personClaims(s, a.refreshAudience(), a.sessionLeft(s))
	c.Purpose, c.Stamp, c.Resource = sessionPurpose, stampOf(s.person), s.resource
	return a.c.Keys.sign(c)
}

func (a *Authority) sessionLeft(s *session) time.Duration {
	if s.person.Person.Issuer == "" {
		return sessionLifetime
	}
	return s.signedIn.Add(foreignSessionMaximum).Sub(a.c.Now())
}

// refresh answers the grant of RFC 6749 §6. Older refresh tokens stay good:
// clients run side by side with one and the same.
func (a *Authority) refresh(r *http.Request) (*session, error) {
	text := r.PostForm.Get("refresh_token")
	if text == "" {
		return nil, missing("refresh_token")
	}
	c, err := a.c.Keys.open(text, a.Issuer(), []string{a.refreshAudience()}, a.c.Now())
	if err != nil || c.Purpose != sessionPurpose || c.SignedIn == nil {
		return nil, invalidGrant(70000, "The provided value for the input parameter 'refresh_token' is not valid, or has expired. Sign in again.")
	}
	client, err := a.client(r)
	if err != nil {
		return nil, err
	}
	if client != c.AppID {
		return nil, invalidGrant(700005, "The provided refresh token was issued to another client.")
	}
	p, err := a.sessionPerson(r.Context(), c)
	if err != nil {
		return nil, err
	}
	return &session{person: p, client: client, resource: c.Resource, signedIn: c.SignedIn.Time()}, nil
}

// sessionPerson returns whose session a refresh token is of.
func (a *Authority) sessionPerson(ctx context.Context, c Claims) (drydock.Principal, error) {
	p, err := a.c.Principals.Principal(ctx, c.ObjectID)
	switch {
	case drydock.CodeOf(err) == drydock.NotFound || err == nil && p.Person == nil:
		return p, invalidGrant(50034, "The user account was deleted.")
	case err != nil:
		return p, err
	case p.Person.Disabled:
		return p, disabledAccount()
	case stampOf(p) != c.Stamp:
		return p, invalidGrant(50173, "The provided grant has expired due to it being revoked: the password was changed, or the sessions were ended. Sign in again.")
	}
	p.Groups = c.Groups
	return p, nil
}

func invalidGrant(number int, message string) *oauthError {
	return &oauthError{http.StatusBadRequest, "invalid_grant", number, message}
}

func disabledAccount() *oauthError { return invalidGrant(50057, "The user account is disabled.") }
