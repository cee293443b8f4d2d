package auth

import (
	"context"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/drydockhq/drydock"
)

// foreignAlgorithms are what providers may sign with: public keys only.
var foreignAlgorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

func algorithmNames() []string {
	names := make([]string, len(foreignAlgorithms))
	for i, a := range foreignAlgorithms {
		names[i] = string(a)
	}
	return names
}

// verifyOutside returns the person that a token of the provider is about.
func (a *Authority) verifyOutside(ctx context.Context, token string) (drydock.Principal, error) {
	o, err := a.c.Provider.verify(ctx, token, "")
	if err != nil {
		return drydock.Principal{}, err
	}
	p, err := a.admit(ctx, o)
	if err == nil && p.Person.Disabled {
		err = invalidToken("The account of %s is disabled.", p.Person.Login)
	}
	return p, err
}

// admit returns the principal of somebody whom the provider vouches for, which is
// made when the person first comes. It has no roles but those of its groups.
func (a *Authority) admit(ctx context.Context, o outsider) (drydock.Principal, error) {
	id, action := personIDOf(o.issuer, o.subject), "Microsoft.Graph/users/{id} PATCH"
	p, err := a.c.Principals.Principal(ctx, id)
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
		action = "Microsoft.Graph/users POST"
		p = drydock.Principal{ID: id, Kind: drydock.User, Created: a.c.Now(), Person: &drydock.Person{Issuer: o.issuer}}
	case err != nil:
		return p, fmt.Errorf("finding somebody whom %s vouches for: %w", o.issuer, err)
	}
	if p.Name != o.name || p.Person.Login != o.login && p.Person.Login != foreignLogin(o.login, id) {
		p.Name = o.name
		act := drydock.Act{Principal: drydock.Principal{ID: id, Name: o.name}, Action: action, Target: "/v1.0/users/" + id}
		if err := drydock.WitnessedAside(ctx, act, func() error { return a.writeDown(ctx, &p, o.login) }); err != nil {
			return p, fmt.Errorf("storing somebody whom %s vouches for: %w", o.issuer, err)
		}
	}
	p.Groups = nil
	for _, name := range o.groups {
		p.Groups = append(p.Groups, GroupID(o.issuer, name))
	}
	return p, nil
}

// writeDown stores somebody whom the provider vouches for, under a login.
func (a *Authority) writeDown(ctx context.Context, p *drydock.Principal, login string) error {
	person := *p.Person
	p.Person, person.Login = &person, login
	err := a.c.Principals.PutPrincipal(ctx, *p)
	if drydock.CodeOf(err) == drydock.Conflict {
		// Somebody else has the name, who might be given what is meant for this one.
		person.Login = foreignLogin(login, p.ID)
		err = a.c.Principals.PutPrincipal(ctx, *p)
	}
	return err
}

// foreignLogin is the login of one whose own is another's.
func foreignLogin(login, id string) string { return login + "#ext#" + id[:8] }

// knownGroups returns those of some groups that can have roles, so that tokens
// are no longer than they need to be.
func (a *Authority) knownGroups(ctx context.Context, ids []string) ([]string, error) {
	var known []string
	for _, id := range ids {
		switch _, err := a.c.Principals.Principal(ctx, id); {
		case err == nil:
			known = append(known, id)
		case drydock.CodeOf(err) != drydock.NotFound:
			return nil, err
		}
	}
	return known, nil
}
