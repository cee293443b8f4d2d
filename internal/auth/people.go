package auth

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// What a password may be, in characters and in bytes. The longest is that of
// Microsoft Entra.
const (
	minPassword = 8
	maxPassword = 1024
)

// loginForm is that of a user principal name.
var loginForm = regexp.MustCompile(`^[a-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}@[a-z0-9]([a-z0-9.-]{0,100}[a-z0-9])?$`)

// NewPerson is a person to be made.
type NewPerson struct {
	Name, Login, Password string
	MustChange, Disabled  bool
}

// CreatePerson makes a person, who has no roles yet. A login that is taken is an
// error with code Conflict.
func (d *Directory) CreatePerson(ctx context.Context, n NewPerson) (drydock.Principal, error) {
	login := NormalLogin(n.Login)
	if !loginForm.MatchString(login) {
		return drydock.Principal{}, drydock.Errorf(drydock.Invalid, "the user principal name %q is not of the form NAME@DOMAIN", printable(n.Login))
	}
	if err := checkName(n.Name); err != nil {
		return drydock.Principal{}, err
	}
	secret, err := d.passwordOf(ctx, login, n.Password)
	if err != nil {
		return drydock.Principal{}, err
	}
	p := drydock.Principal{
		ID: d.NewID(), Kind: drydock.User, Name: n.Name, Created: d.Now(), Secrets: []drydock.PrincipalSecret{secret},
		Person: &drydock.Person{Login: login, MustChange: n.MustChange, Disabled: n.Disabled},
	}
	if err := d.Principals.PutPrincipal(ctx, p); err != nil {
		return p, fmt.Errorf("storing the user %s: %w", login, err)
	}
	return p, nil
}

// passwordOf returns what is kept of a password.
func (d *Directory) passwordOf(ctx context.Context, login, password string) (drydock.PrincipalSecret, error) {
	bad := func(format string, args ...any) (drydock.PrincipalSecret, error) {
		return drydock.PrincipalSecret{}, drydock.Errorf(drydock.Invalid, "The specified password does not comply with the password complexity requirements: "+format, args...)
	}
	name, _, _ := strings.Cut(login, "@")
	switch lower := strings.ToLower(password); {
	case utf8.RuneCountInString(password) < minPassword:
		return bad("it has to have %d characters at least", minPassword)
	case len(password) > maxPassword:
		return bad("it may have %d bytes at most", maxPassword)
	case !utf8.ValidString(password):
		return bad("it is not UTF-8")
	case len(name) > 3 && strings.Contains(lower, name):
		return bad("it has the user's name in it")
	case strings.Count(lower, lower[:1]) == len(lower):
		return bad("it is one character again and again")
	}
	hash, err := d.Hasher.Hash(ctx, password)
	return drydock.PrincipalSecret{ID: d.NewID(), Name: "password", Hash: hash, Created: d.Now()}, err
}

// SetPassword replaces the password of a person, which ends the person's
// sessions. One who has to change it does so before anything else.
func (d *Directory) SetPassword(ctx context.Context, id, password string, mustChange bool) error {
	p, err := d.person(ctx, id)
	if err != nil {
		return err
	}
	if p.Person.Issuer != "" {
		return drydock.Errorf(drydock.Conflict, "%s signs in at %s, and has no password here", p.Person.Login, p.Person.Issuer)
	}
	secret, err := d.passwordOf(ctx, p.Person.Login, password)
	if err != nil {
		return err
	}
	return d.ChangePerson(ctx, id, func(p *drydock.Principal) error {
		p.Secrets, p.Person.MustChange = []drydock.PrincipalSecret{secret}, mustChange
		return nil
	})
}

// EndSessions makes the refresh tokens of a person worthless.
func (d *Directory) EndSessions(ctx context.Context, id string) error {
	return d.ChangePerson(ctx, id, func(p *drydock.Principal) error {
		if len(p.Secrets) == 0 {
			return drydock.Errorf(drydock.Conflict, "%s signs in at %s, whose sessions end by themselves; disable the account", p.Person.Login, p.Person.Issuer)
		}
		p.Secrets[0].ID = d.NewID()
		return nil
	})
}

// ChangePerson lets alter change a person.
func (d *Directory) ChangePerson(ctx context.Context, id string, alter func(*drydock.Principal) error) error {
	err := d.together(ctx, func(ctx context.Context) error {
		p, err := d.person(ctx, id)
		if err != nil {
			return err
		}
		person := *p.Person
		p.Person = &person
		if err := alter(&p); err != nil {
			return err
		}
		if err := checkName(p.Name); err != nil {
			return err
		}
		return d.Principals.PutPrincipal(ctx, p)
	})
	if err != nil {
		return fmt.Errorf("changing the user %s: %w", id, err)
	}
	return nil
}

// person returns the person with an object id.
func (d *Directory) person(ctx context.Context, id string) (drydock.Principal, error) {
	p, err := d.Principals.Principal(ctx, id)
	if err == nil && p.Person == nil {
		err = drydock.Errorf(drydock.NotFound, "there is no user %s", printable(id))
	}
	return p, err
}

// CreateGroup makes the group that stands for the one of that name at the
// provider. One that is there is returned as it is.
func (d *Directory) CreateGroup(ctx context.Context, issuer, name string) (drydock.Principal, error) {
	if err := checkName(name); err != nil {
		return drydock.Principal{}, err
	}
	id := GroupID(issuer, name)
	p, err := d.Principals.Principal(ctx, id)
	if drydock.CodeOf(err) != drydock.NotFound {
		return p, err
	}
	p = drydock.Principal{ID: id, Kind: drydock.Group, Name: name, Created: d.Now()}
	return p, d.Principals.PutPrincipal(ctx, p)
}

// DeletePerson deletes a person or a group, with its roles; tokens end.
func (d *Directory) DeletePerson(ctx context.Context, id string) error {
	p, err := d.Principals.Principal(ctx, id)
	if err == nil && p.Kind != drydock.User && p.Kind != drydock.Group {
		err = drydock.Errorf(drydock.NotFound, "there is no user or group %s", printable(id))
	}
	if err != nil {
		return err
	}
	return d.Principals.DeletePrincipal(ctx, id)
}

// GroupID returns the object id of a provider's group.
func GroupID(issuer, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("group "+issuer+" "+name)).String()
}

// personIDOf returns the object id of somebody whom a provider vouches for.
func personIDOf(issuer, subject string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("user "+issuer+" "+subject)).String()
}
