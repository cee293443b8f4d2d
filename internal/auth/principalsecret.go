package auth

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/drydockhq/drydock"
)

// maxSecrets bounds the secrets of a principal: each is tried at a sign-in.
const maxSecrets = 8

// maxSecretName bounds the name of a secret, in bytes.
const maxSecretName = 256

// secretLifetime is how long a new secret is good when nobody says.
const secretLifetime = 2 * 365 * 24 * time.Hour

// maxSecretLifetime bounds how long a secret can be good. It keeps the times
// within what stores can hold.
const maxSecretLifetime = 100 * 365 * 24 * time.Hour

// AddSecret gives an application, with its service principal, one more secret,
// good until expires or, if that is zero, for two years. Expired ones are
// dropped. Eight secrets already are an error with code Conflict.
func (d *Directory) AddSecret(ctx context.Context, id, name string, expires time.Time) (*Credentials, error) {
	switch now := d.Now(); {
	case len(name) > maxSecretName:
		return nil, drydock.Errorf(drydock.Invalid, "the name of a secret is longer than %d bytes", maxSecretName)
	case expires.IsZero():
	case !expires.After(now):
		return nil, drydock.Errorf(drydock.Invalid, "the secret would expire at %s, which has passed", expires.UTC().Format(time.RFC3339))
	case expires.After(now.Add(maxSecretLifetime)):
		return nil, drydock.Errorf(drydock.Invalid, "the secret would expire at %s; a hundred years from now are the most", expires.UTC().Format(time.RFC3339))
	}
	p, err := d.Principals.Principal(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("looking for the service principal %s: %w", id, err)
	}
	c, fresh, err := d.newSecret(ctx, p.AppID, name, expires)
	if err != nil {
		return nil, err
	}
	_, err = d.change(ctx, id, func(p *drydock.Principal) error {
		kept := slices.DeleteFunc(slices.Clone(p.Secrets), func(s drydock.PrincipalSecret) bool { return d.expired(s) })
		if len(kept) >= maxSecrets {
			return drydock.Errorf(drydock.Conflict, "the service principal %s has %d secrets already", p.AppID, len(kept)).
				WithHint("remove one, or reset them")
		}
		p.Secrets = append(kept, fresh)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// RemoveSecret ends a secret of an application. One that is not there is an
// error with code NotFound.
func (d *Directory) RemoveSecret(ctx context.Context, id, secret string) error {
	_, err := d.change(ctx, id, func(p *drydock.Principal) error {
		kept := slices.DeleteFunc(slices.Clone(p.Secrets), func(s drydock.PrincipalSecret) bool { return s.ID == secret })
		if len(kept) == len(p.Secrets) {
			return drydock.Errorf(drydock.NotFound, "the application %s has no secret %s", p.AppID, printable(secret))
		}
		p.Secrets = kept
		return nil
	})
	return err
}

func (d *Directory) expired(s drydock.PrincipalSecret) bool {
	return !s.Expires.IsZero() && !d.Now().Before(s.Expires)
}

// newSecret returns a secret that is stored nowhere yet, and what is to be kept
// of it. It is slow on purpose, so that it is not called within transactions.
func (d *Directory) newSecret(ctx context.Context, appID, name string, expires time.Time) (*Credentials, drydock.PrincipalSecret, error) {
	now := d.Now()
	if expires.IsZero() {
		expires = now.Add(secretLifetime)
	}
	c := &Credentials{AppID: appID, KeyID: d.NewID(), Secret: NewSecret(), Created: now, Expires: expires}
	hash, err := d.Hasher.Hash(ctx, c.Secret)
	return c, drydock.PrincipalSecret{ID: c.KeyID, Name: name, Hash: hash, Created: now, Expires: expires}, err
}
