package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// DeletedVaults implements drydock.DeletedVaultStore.
func (s *Store) DeletedVaults(ctx context.Context, name string) ([]drydock.DeletedVault, error) {
	var c conditions
	if name != "" {
		c.add("key = ?", strings.ToLower(name))
	}
	var found []drydock.DeletedVault
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanDeletedVault, `SELECT uid, id, location, body, created, deleted, purge
			FROM deleted_vaults`+c.where()+` ORDER BY key, deleted DESC, uid`, c.args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing deleted vaults: %w", err)
	}
	return found, nil
}

// PutDeletedVault implements drydock.DeletedVaultStore.
func (s *Store) PutDeletedVault(ctx context.Context, v drydock.DeletedVault) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO deleted_vaults (uid, key, id, location, body, created, deleted, purge)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (uid) DO UPDATE SET body = excluded.body, deleted = excluded.deleted, purge = excluded.purge`,
			v.UID, strings.ToLower(v.ID.Name()), idText(v.ID), v.Location, nonNil(v.Body), nanos(v.Created), nanos(v.Deleted), nanos(v.Purge))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the deleted vault %s: %w", v.ID.Name(), err)
	}
	return nil
}

// ForgetDeletedVault implements drydock.DeletedVaultStore.
func (s *Store) ForgetDeletedVault(ctx context.Context, uid string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		found, err := affectsOne(ctx, tx, `DELETE FROM deleted_vaults WHERE uid = $1`, uid)
		if err == nil && !found {
			return drydock.Errorf(drydock.NotFound, "there is none")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("taking the vault %s from those that were deleted: %w", uid, err)
	}
	return nil
}

// PurgeVault implements drydock.DeletedVaultStore.
func (s *Store) PurgeVault(ctx context.Context, uid string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, secrets := tx.ExecContext(ctx, `DELETE FROM vault_secrets WHERE vault = $1`, uid)
		_, vault := tx.ExecContext(ctx, `DELETE FROM deleted_vaults WHERE uid = $1`, uid)
		return errors.Join(secrets, vault)
	})
	if err != nil {
		return fmt.Errorf("purging the vault %s: %w", uid, err)
	}
	return nil
}

func scanDeletedVault(row scanner) (drydock.DeletedVault, error) {
	var (
		v                       drydock.DeletedVault
		id                      string
		created, deleted, purge int64
	)
	if err := row.Scan(&v.UID, &id, &v.Location, &v.Body, &created, &deleted, &purge); err != nil {
		return drydock.DeletedVault{}, err
	}
	v.Created, v.Deleted, v.Purge = fromNanos(created), fromNanos(deleted), fromNanos(purge)
	var err error
	v.ID, err = resourceID(id)
	return v, err
}
