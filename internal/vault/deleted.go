package vault

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
)

// Delete deletes a secret, which can be recovered until its vault's retention is
// over.
func (s *Service) Delete(ctx context.Context, vault, name string, by Caller) (*Secret, error) {
	return do(ctx, s, vault, name, by, permDelete, func(req *request) (deleted *Secret, err error) {
		if err := s.local(req); err != nil {
			return nil, err
		}
		err = s.c.Store.Atomically(ctx, func(ctx context.Context) error {
			v, err := s.find(ctx, req, "")
			if err != nil {
				return err
			}
			v.Deleted = s.c.Now().Truncate(time.Second)
			v.Purge = v.Deleted.Add(req.vault.Retention)
			deleted = req.describe(v)
			return s.c.Store.SetSecretDeleted(ctx, req.vault.UID, name, v.Deleted, v.Purge)
		})
		return deleted, err
	})
}

// findDeleted returns the newest version of a secret that was deleted.
func (s *Service) findDeleted(ctx context.Context, req *request) (drydock.SecretVersion, error) {
	found, err := s.c.Store.SecretVersions(ctx, drydock.SecretFilter{Vault: req.vault.UID, Name: req.secret, Deleted: true, Limit: 1})
	if err != nil {
		return drydock.SecretVersion{}, err
	}
	if len(found) == 0 {
		e := secretNotFound(req.secret)
		e.Message = "Deleted Secret not found: " + req.secret
		return drydock.SecretVersion{}, e
	}
	return found[0], nil
}

// Deleted returns a secret that was deleted, without its value.
func (s *Service) Deleted(ctx context.Context, vault, name string, by Caller) (*Secret, error) {
	return do(ctx, s, vault, name, by, permGetDeleted, func(req *request) (*Secret, error) {
		v, err := s.findDeleted(ctx, req)
		if err != nil {
			return nil, err
		}
		return req.describe(v), nil
	})
}

// ListDeleted returns the secrets of a vault that were deleted.
func (s *Service) ListDeleted(ctx context.Context, vault, after string, limit int, by Caller) (*Page, error) {
	return do(ctx, s, vault, "", by, permListDeleted, func(req *request) (*Page, error) {
		return s.page(ctx, req, drydock.SecretFilter{Latest: true, Deleted: true, After: after}, limit)
	})
}

// Recover gives back a secret that was deleted, with all its versions.
func (s *Service) Recover(ctx context.Context, vault, name string, by Caller) (*Secret, error) {
	return do(ctx, s, vault, name, by, permRecover, func(req *request) (recovered *Secret, err error) {
		err = s.c.Store.Atomically(ctx, func(ctx context.Context) error {
			v, err := s.findDeleted(ctx, req)
			if err != nil {
				return err
			}
			v.Deleted, v.Purge = time.Time{}, time.Time{}
			recovered = req.describe(v)
			return s.c.Store.SetSecretDeleted(ctx, req.vault.UID, name, time.Time{}, time.Time{})
		})
		return recovered, err
	})
}

// Purge ends a secret that was deleted.
func (s *Service) Purge(ctx context.Context, vault, name string, by Caller) error {
	_, err := do(ctx, s, vault, name, by, permPurge, func(req *request) (struct{}, error) {
		if req.vault.Protected {
			return struct{}{}, forbidden("PurgeProtected", "Operation purge is not allowed: the key vault '%s' has purge protection.", req.vault.ID.Name())
		}
		return struct{}{}, s.c.Store.Atomically(ctx, func(ctx context.Context) error {
			if _, err := s.findDeleted(ctx, req); err != nil {
				return err
			}
			return s.c.Store.PurgeSecret(ctx, req.vault.UID, name)
		})
	})
	return err
}
