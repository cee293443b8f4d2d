package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// AdminUsers are the admin users of registries: each has the registry's name and
// two passwords that can be read, since that is what they are in ACR. Methods
// may be called from several goroutines.
type AdminUsers struct {
	Resources drydock.ResourceStore
	Sealer    *Sealer
}

// AdminPasswords are the passwords of an admin user, and what else of a registry
// is secret.
type AdminPasswords struct {
	Password  string
	Password2 string
	Hook      string `json:",omitempty"` // see HookSecret; empty until somebody asks for it
}

// writeAttempts is how often a write is tried that others get ahead of.
const writeAttempts = 5

// Enabled reports whether a registry's admin user may sign in.
func Enabled(registry drydock.Resource) (bool, error) {
	var body struct {
		Properties struct{ AdminUserEnabled bool }
	}
	if err := json.Unmarshal(registry.Body, &body); err != nil {
		return false, fmt.Errorf("reading the registry %s: %w", registry.ID.Name(), err)
	}
	return body.Properties.AdminUserEnabled, nil
}

// Passwords returns the passwords of a registry's admin user, which it makes at
// the first call.
func (a *AdminUsers) Passwords(ctx context.Context, id drydock.ResourceID) (AdminPasswords, error) {
	return a.change(ctx, id, func(*AdminPasswords) {})
}

// Regenerate replaces the first or the second password.
func (a *AdminUsers) Regenerate(ctx context.Context, id drydock.ResourceID, second bool) (AdminPasswords, error) {
	return a.change(ctx, id, func(p *AdminPasswords) {
		if second {
			p.Password2 = NewSecret()
		} else {
			p.Password = NewSecret()
		}
	})
}

// Check reports whether these are the name and a password of a registry's admin
// user, and that user is enabled.
func (a *AdminUsers) Check(ctx context.Context, id drydock.ResourceID, user, password string) (bool, error) {
	if !strings.EqualFold(user, id.Name()) || password == "" {
		return false, nil
	}
	r, err := a.Resources.Resource(ctx, id)
	if err != nil {
		return false, err
	}
	enabled, err := Enabled(r)
	if err != nil || !enabled || len(r.Secrets) == 0 {
		return false, err
	}
	p, err := a.open(r)
	if err != nil {
		return false, err
	}
	first, second := samePassword(p.Password, password), samePassword(p.Password2, password)
	return first|second == 1, nil
}

func samePassword(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// change reads the passwords, lets alter change them, and writes them if that
// made a difference.
func (a *AdminUsers) change(ctx context.Context, id drydock.ResourceID, alter func(*AdminPasswords)) (AdminPasswords, error) {
	for attempt := 1; ; attempt++ {
		r, err := a.Resources.Resource(ctx, id)
		if err != nil {
			return AdminPasswords{}, err
		}
		old, err := a.open(r)
		if err != nil {
			return AdminPasswords{}, err
		}
		next := old
		alter(&next)
		for _, p := range []*string{&next.Password, &next.Password2} {
			if *p == "" {
				*p = NewSecret()
			}
		}
		if next == old {
			return next, nil
		}
		if err = a.write(ctx, r, next); err == nil {
			return next, nil
		}
		if drydock.CodeOf(err) != drydock.Conflict || attempt == writeAttempts {
			return AdminPasswords{}, err
		}
	}
}

func (a *AdminUsers) write(ctx context.Context, r drydock.Resource, p AdminPasswords) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing the admin user of %s: %w", r.ID.Name(), err)
	}
	r.Secrets = a.Sealer.Seal(plain, adminPurpose(r.ID))
	_, err = a.Resources.PutResource(ctx, r, r.ETag)
	return err
}

func (a *AdminUsers) open(r drydock.Resource) (AdminPasswords, error) {
	var p AdminPasswords
	if len(r.Secrets) == 0 {
		return p, nil
	}
	plain, err := a.Sealer.Open(r.Secrets, adminPurpose(r.ID))
	if err == nil {
		err = json.Unmarshal(plain, &p)
	}
	if err != nil {
		return p, fmt.Errorf("reading the admin user of %s: %w", r.ID.Name(), err)
	}
	return p, nil
}

func adminPurpose(id drydock.ResourceID) string { return "admin user " + id.Key() }
