package auth

import (
	"context"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/drydockhq/drydock"
)

// PersonClaims are what the tokens of people say beside those of programs.
// Registered names are OpenID's and Azure's.
type PersonClaims struct {
	Name     string   `json:"name,omitempty"`
	UPN      string   `json:"upn,omitempty"`
	Username string   `json:"preferred_username,omitempty"`
	Unique   string   `json:"unique_name,omitempty"`
	Scope    string   `json:"scp,omitempty"`
	Methods  []string `json:"amr,omitempty"`
	Groups   []string `json:"groups,omitempty"` // object ids
	Nonce    string   `json:"nonce,omitempty"`
	// SignedIn is when the person showed who it is.
	SignedIn *jwt.NumericDate `json:"auth_time,omitempty"`
	// Stamp changes with the person's password.
	Stamp string `json:"drydock_stamp,omitempty"`
	// Resource is what access tokens are for that are asked for without a name.
	Resource string `json:"drydock_resource,omitempty"`
}

// session is a person that uses a client.
type session struct {
	person   drydock.Principal
	client   string    // client id, in lower case
	resource string    // that was asked for when the person signed in
	scopes   []string  // likewise
	nonce    string    // of the client; may be empty
	signedIn time.Time // when the person showed who it is
	// issuer is what id tokens name: the authority as the client knows it.
	issuer string
}

// stampOf returns what changes with a person's password.
func stampOf(p drydock.Principal) string {
	if len(p.Secrets) == 0 {
		return ""
	}
	return p.Secrets[0].ID
}

// personClaims are what all tokens of a session say.
func (a *Authority) personClaims(s *session, audience string, lifetime time.Duration) Claims {
	p := s.person
	c := a.claims(p.ID, audience, lifetime)
	c.AppID, c.Azp, c.IDType = s.client, s.client, "user"
	c.PersonClaims = PersonClaims{
		Name: p.Name, UPN: p.Person.Login, Username: p.Person.Login, Unique: p.Person.Login, Groups: p.Groups,
		SignedIn: jwt.NewNumericDate(s.signedIn),
	}
	if p.Person.Issuer == "" {
		c.Methods = []string{"pwd"}
	}
	return c
}

// personAccess returns an access token of a session.
func (a *Authority) personAccess(ctx context.Context, s *session, resource string) (string, error) {
	c := a.personClaims(s, resource, tokenLifetime)
	c.Scope = "user_impersonation"
	var err error
	if c.Groups, err = a.knownGroups(ctx, s.person.Groups); err != nil {
		return "", err
	}
	return a.c.Keys.sign(c)
}

// personID returns an id token of a session, which tells its client who it is.
func (a *Authority) personID(s *session) (string, error) {
	c := a.personClaims(s, s.client, tokenLifetime)
	c.AppID, c.Azp, c.IDType, c.Groups = "", "", "", nil
	c.Issuer, c.Nonce, c.Version, c.Purpose = s.issuer, s.nonce, "2.0", idPurpose
	return a.c.Keys.sign(c)
}

// The purposes of tokens that grant nothing by themselves.
const (
	idPurpose      = "id_token"
	sessionPurpose = "session"
)
