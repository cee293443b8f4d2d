package auth

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// maxApplicationName bounds the name of an application, in characters.
const maxApplicationName = 256

// Register registers an application. It can sign in once it has a service
// principal and a secret; its secrets and its name are its service principal's
// too.
func (d *Directory) Register(ctx context.Context, name string) (drydock.Principal, error) {
	if err := checkName(name); err != nil {
		return drydock.Principal{}, err
	}
	p := drydock.Principal{ID: d.NewID(), AppID: d.NewID(), Kind: drydock.Application, Name: name, Created: d.Now()}
	if err := d.Principals.PutPrincipal(ctx, p); err != nil {
		return p, fmt.Errorf("storing the application %s: %w", p.AppID, err)
	}
	return p, nil
}

// Instate makes the service principal of the application with a client id. It
// has no roles yet. One that is there is an error with code Conflict.
func (d *Directory) Instate(ctx context.Context, appID string) (drydock.Principal, error) {
	var p drydock.Principal
	err := d.together(ctx, func(ctx context.Context) (err error) {
		if p, err = d.Principals.PrincipalByAppID(ctx, strings.ToLower(appID)); err != nil {
			return err
		}
		if p.Kind != drydock.Application {
			return drydock.Errorf(drydock.Conflict, "the application %s has a service principal already", p.AppID)
		}
		p.Kind = drydock.ServicePrincipal
		return d.Principals.PutPrincipal(ctx, p)
	})
	if err != nil {
		return p, fmt.Errorf("making a service principal: %w", err)
	}
	return p, nil
}

// Rename gives an application, and its service principal, another name.
func (d *Directory) Rename(ctx context.Context, id, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	_, err := d.change(ctx, id, func(p *drydock.Principal) error {
		p.Name = name
		return nil
	})
	return err
}

// Dismiss deletes the service principal with an object id, with its roles; its
// tokens end. The application stays, with its secrets.
func (d *Directory) Dismiss(ctx context.Context, id string) error {
	return d.remove(ctx, id, func(p drydock.Principal) (*drydock.Principal, error) {
		if p.Kind != drydock.ServicePrincipal {
			return nil, drydock.Errorf(drydock.NotFound, "the application %s has no service principal", p.AppID)
		}
		// Another id: what was given to the old one is not given to its successor.
		p.ID, p.Kind = d.NewID(), drydock.Application
		return &p, nil
	})
}

// Unregister deletes an application, with its service principal and secrets.
func (d *Directory) Unregister(ctx context.Context, id string) error {
	return d.remove(ctx, id, func(drydock.Principal) (*drydock.Principal, error) { return nil, nil })
}

// remove deletes a principal that is not the server's own, and stores what left
// returns in its place.
func (d *Directory) remove(ctx context.Context, id string, left func(drydock.Principal) (*drydock.Principal, error)) error {
	err := d.together(ctx, func(ctx context.Context) error {
		p, err := d.changeable(ctx, id)
		if err != nil {
			return err
		}
		admin, err := d.Settings.Setting(ctx, adminSetting)
		if err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return err
		}
		if string(admin) == id {
			return drydock.Errorf(drydock.Conflict, "the server's own admin can't be deleted")
		}
		successor, err := left(p)
		if err != nil {
			return err
		}
		if err := d.Principals.DeletePrincipal(ctx, id); err != nil || successor == nil {
			return err
		}
		return d.Principals.PutPrincipal(ctx, *successor)
	})
	if err != nil {
		return fmt.Errorf("deleting the principal %s: %w", id, err)
	}
	return nil
}

// change lets alter change an application or its service principal.
func (d *Directory) change(ctx context.Context, id string, alter func(*drydock.Principal) error) (drydock.Principal, error) {
	var p drydock.Principal
	err := d.together(ctx, func(ctx context.Context) (err error) {
		if p, err = d.changeable(ctx, id); err != nil {
			return err
		}
		if err := alter(&p); err != nil {
			return err
		}
		return d.Principals.PutPrincipal(ctx, p)
	})
	if err != nil {
		return p, fmt.Errorf("changing the principal %s: %w", id, err)
	}
	return p, nil
}

// changeable returns a principal that its owners may change: not the identity
// of a resource, which the resource has made.
func (d *Directory) changeable(ctx context.Context, id string) (drydock.Principal, error) {
	p, err := d.Principals.Principal(ctx, id)
	if err == nil && p.Kind != drydock.ServicePrincipal && p.Kind != drydock.Application {
		err = drydock.Errorf(drydock.Conflict, "%s is the identity of %s, and is changed and deleted with that", p.ID, p.Owner)
	}
	return p, err
}

// together calls f in one transaction, where the store has them.
func (d *Directory) together(ctx context.Context, f func(context.Context) error) error {
	if t, ok := d.Principals.(drydock.Transactor); ok {
		return t.Atomically(ctx, f)
	}
	return f(ctx)
}

func checkName(name string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.TrimSpace(name) == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxApplicationName || strings.ContainsFunc(name, unprintable) {
		return drydock.Errorf(drydock.Invalid, "the name of an application is 1 to %d printable characters, not %q", maxApplicationName, printable(name))
	}
	return nil
}
