package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

// ErrMustChange is what CheckPassword's error is where the password is right and
// has to be replaced first.
var ErrMustChange = errors.New("the password has to be changed")

const mustChangeNumber = 50055

// Is reports whether the error is ErrMustChange.
func (e *oauthError) Is(target error) bool {
	return target == ErrMustChange && e.number == mustChangeNumber
}

// people returns the store of people; nil where principals are kept without.
func (a *Authority) people() drydock.PeopleStore {
	s, _ := a.c.Principals.(drydock.PeopleStore)
	return s
}

// CheckPassword returns the person with a login if the password is right. Who
// fails too often from an address has to wait. What is refused is an error with
// code Denied; unknown names and wrong passwords are told alike.
func (a *Authority) CheckPassword(ctx context.Context, login, password, from string) (drydock.Principal, error) {
	login = NormalLogin(login)
	if wait := a.guard.wait(login, from); wait > 0 {
		return drydock.Principal{}, drydock.Errorf(drydock.Denied, "%w", &oauthError{
			http.StatusBadRequest, "invalid_grant", 50053,
			fmt.Sprintf("The account is locked for you: there were too many attempts to sign in with a wrong password. Try again in %d s.", int(wait.Seconds())+1),
		})
	}
	p, right, err := a.matchPassword(ctx, login, password)
	if err != nil {
		return p, err
	}
	if !right {
		a.guard.failed(login, from)
		return drydock.Principal{}, drydock.Errorf(drydock.Denied, "%w", invalidGrant(50126, "Error validating credentials due to invalid username or password."))
	}
	a.guard.succeeded(login, from)
	if p.Person.Disabled {
		return p, drydock.Errorf(drydock.Denied, "%w", disabledAccount())
	}
	if p.Person.MustChange {
		return p, drydock.Errorf(drydock.Denied, "%w", invalidGrant(mustChangeNumber, fmt.Sprintf("The password is expired. Change it at %s%s.", a.c.LoginURL, passwordPath)))
	}
	return p, nil
}

// matchPassword says whether there is a person with a login and password. It
// takes as long for those whom there are not.
func (a *Authority) matchPassword(ctx context.Context, login, password string) (drydock.Principal, bool, error) {
	var p drydock.Principal
	err := error(drydock.Errorf(drydock.NotFound, "there are no people"))
	if store := a.people(); store != nil && login != "" {
		p, err = store.PrincipalByLogin(ctx, login)
	}
	hash := nobodysHash
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
	case err != nil:
		return p, false, fmt.Errorf("finding the user: %w", err)
	case len(p.Secrets) == 1 && p.Person.Issuer == "":
		hash = p.Secrets[0].Hash
	}
	if len(password) > maxPassword {
		password = ""
	}
	right, err := a.c.Hasher.Matches(ctx, hash, password)
	return p, right && hash != nobodysHash, err
}

// nobodysHash is one that no password is known of, with the usual cost.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// NormalLogin returns a login as it is stored: in lower case.
func NormalLogin(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// ClientAddress returns the address that a request comes from.
func ClientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// passwordGrant answers the grant of RFC 6749 §4.3.
func (a *Authority) passwordGrant(r *http.Request) (*session, error) {
	for _, name := range []string{"username", "password"} {
		if r.PostForm.Get(name) == "" {
			return nil, missing(name)
		}
	}
	client, err := a.client(r)
	if err != nil {
		return nil, err
	}
	p, err := a.CheckPassword(r.Context(), r.PostForm.Get("username"), r.PostForm.Get("password"), ClientAddress(r))
	if err != nil {
		return nil, err
	}
	return &session{person: p, client: client, signedIn: a.c.Now()}, nil
}
