package vault

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// Secret is a version of a secret as its readers see it.
type Secret struct {
	drydock.SecretVersion
	Value     string
	shown     bool // the value is there
	Retention time.Duration
	Protected bool
}

// show returns a version with its value.
func (req *request) show(v drydock.SecretVersion, value string) *Secret {
	return &Secret{SecretVersion: v, Value: value, shown: true, Retention: req.vault.Retention, Protected: req.vault.Protected}
}

// describe returns a version without its value.
func (req *request) describe(v drydock.SecretVersion) *Secret {
	return &Secret{SecretVersion: v, Retention: req.vault.Retention, Protected: req.vault.Protected}
}

// Change is what is set of a secret; nil leaves what there is.
type Change struct {
	Value              *string
	ContentType        *string
	Tags               map[string]string
	Enabled            *bool
	NotBefore, Expires *time.Time // a zero time for none
}

// Set adds a version to a secret, which it makes if it is not there.
func (s *Service) Set(ctx context.Context, vault, name string, c Change, by Caller) (*Secret, error) {
	return do(ctx, s, vault, name, by, permSet, func(req *request) (*Secret, error) {
		if err := s.local(req); err != nil {
			return nil, err
		}
		if c.Value == nil {
			return nil, badParameter("The parameter value is required.")
		}
		if len(*c.Value) > maxValue {
			return nil, badParameter("The value of the secret has %d bytes; %d are the most.", len(*c.Value), maxValue)
		}
		now := s.c.Now().Truncate(time.Second)
		v := drydock.SecretVersion{
			Vault: req.vault.UID, Name: name, Version: strings.ReplaceAll(s.c.NewID(), "-", ""), Created: now, Updated: now,
		}
		if err := c.apply(&v); err != nil {
			return nil, err
		}
		err := s.c.Keys.sealed(ctx, v, []byte(*c.Value), s.c.Store.AddSecretVersion)
		if drydock.CodeOf(err) == drydock.Conflict {
			return nil, conflict("ObjectIsDeletedButRecoverable", "Secret %s is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.", name)
		}
		if err != nil {
			return nil, err
		}
		return req.show(v, *c.Value), nil
	})
}

// Get returns a version of a secret with its value; the newest for an empty one.
func (s *Service) Get(ctx context.Context, vault, name, version string, by Caller) (*Secret, error) {
	return do(ctx, s, vault, name, by, permGet, func(req *request) (*Secret, error) {
		if source, ok := s.c.Sources[strings.ToLower(req.vault.ID.Name())]; ok {
			return s.fromSource(ctx, req, source, version)
		}
		return s.value(ctx, req, version)
	})
}

// value reads a version with its value.
func (s *Service) value(ctx context.Context, req *request, version string) (*Secret, error) {
	for range 5 {
		v, err := s.find(ctx, req, version)
		if err != nil {
			return nil, err
		}
		if v.Disabled {
			return nil, forbidden("SecretDisabled", "Operation get is not allowed on a disabled secret.")
		}
		value, err := s.c.Keys.unseal(ctx, v)
		if errors.Is(err, errRotated) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return req.show(v, string(value)), nil
	}
	return nil, drydock.Errorf(drydock.Unavailable, "the keys of the vaults are being changed again and again")
}

// find returns a version of a secret that was not deleted, the newest for an
// empty one.
func (s *Service) find(ctx context.Context, req *request, version string) (drydock.SecretVersion, error) {
	found, err := s.c.Store.SecretVersions(ctx, drydock.SecretFilter{Vault: req.vault.UID, Name: req.secret, Version: version, Limit: 1})
	if err != nil {
		return drydock.SecretVersion{}, err
	}
	if len(found) == 0 {
		return drydock.SecretVersion{}, secretNotFound(strings.TrimSuffix(req.secret+"/"+version, "/"))
	}
	return found[0], nil
}

// Update changes what is known of a version of a secret, but not its value; of
// the newest for an empty one.
func (s *Service) Update(ctx context.Context, vault, name, version string, c Change, by Caller) (*Secret, error) {
	return do(ctx, s, vault, name, by, permUpdate, func(req *request) (changed *Secret, err error) {
		if err := s.local(req); err != nil {
			return nil, err
		}
		err = s.c.Store.Atomically(ctx, func(ctx context.Context) error {
			v, err := s.find(ctx, req, version)
			if err != nil {
				return err
			}
			if err := c.apply(&v); err != nil {
				return err
			}
			v.Updated = s.c.Now().Truncate(time.Second)
			changed = req.describe(v)
			return s.c.Store.UpdateSecretVersion(ctx, v)
		})
		return changed, err
	})
}

// Page is a part of a list.
type Page struct {
	Secrets []Secret
	Next    string // what After is for the next part; empty for the last
}

// List returns the newest versions of the secrets of a vault, without values.
func (s *Service) List(ctx context.Context, vault, after string, limit int, by Caller) (*Page, error) {
	return do(ctx, s, vault, "", by, permList, func(req *request) (*Page, error) {
		return s.page(ctx, req, drydock.SecretFilter{Latest: true, After: after}, limit)
	})
}

// Versions returns all versions of a secret, without values.
func (s *Service) Versions(ctx context.Context, vault, name, after string, limit int, by Caller) (*Page, error) {
	return do(ctx, s, vault, name, by, permList, func(req *request) (*Page, error) {
		if after == "" {
			if _, err := s.find(ctx, req, ""); err != nil {
				return nil, err
			}
		}
		return s.page(ctx, req, drydock.SecretFilter{Name: name, After: after}, limit)
	})
}

// page reads one row more than it returns, to know whether there is a next part.
func (s *Service) page(ctx context.Context, req *request, f drydock.SecretFilter, limit int) (*Page, error) {
	if err := s.local(req); err != nil {
		return nil, err
	}
	f.Vault, f.Limit = req.vault.UID, limit+1
	found, err := s.c.Store.SecretVersions(ctx, f)
	if err != nil {
		return nil, err
	}
	p := &Page{}
	for _, v := range found[:min(limit, len(found))] {
		p.Secrets = append(p.Secrets, *req.describe(v))
		p.Next = v.Name
		if f.Name != "" {
			p.Next = v.Version
		}
	}
	if len(found) <= limit {
		p.Next = ""
	}
	return p, nil
}

// local refuses what can be done only with secrets that are kept here.
func (s *Service) local(req *request) error {
	if _, elsewhere := s.c.Sources[strings.ToLower(req.vault.ID.Name())]; elsewhere {
		return notSupported("The secrets of the key vault '%s' are kept elsewhere: they can be read one by one, and not be listed or changed here.", req.vault.ID.Name())
	}
	return nil
}
