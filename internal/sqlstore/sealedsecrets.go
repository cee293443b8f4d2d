package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// SealedByOthers implements drydock.SealedStore.
func (s *Store) SealedByOthers(ctx context.Context, key uint32, limit int) ([]drydock.SecretVersion, error) {
	var found []drydock.SecretVersion
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		// Two ranges, so that the index on keys finds them.
		found, err = list(ctx, tx, scanSecretVersion, selectSecretVersion+` WHERE v.seal_key < $1 OR v.seal_key > $1 LIMIT $2`, key, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading secrets: %w", err)
	}
	return found, nil
}

// Reseal implements drydock.SealedStore.
func (s *Store) Reseal(ctx context.Context, v drydock.SecretVersion, old uint32) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE vault_secret_versions SET sealed = $4, seal_key = $5
			WHERE vault = $1 AND key = $2 AND version = $3 AND seal_key = $6`,
			v.Vault, strings.ToLower(v.Name), v.Version, v.Sealed, v.SealKey, old)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the secret %s: %w", v.Name, err)
	}
	return nil
}

// PurgeDue implements drydock.SealedStore.
func (s *Store) PurgeDue(ctx context.Context, now time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		due := nanos(now)
		_, secrets := tx.ExecContext(ctx, `DELETE FROM vault_secrets WHERE (purge <> 0 AND purge <= $1)
			OR vault IN (SELECT uid FROM deleted_vaults WHERE purge <= $1)`, due)
		_, vaults := tx.ExecContext(ctx, `DELETE FROM deleted_vaults WHERE purge <= $1`, due)
		return errors.Join(secrets, vaults)
	})
	if err != nil {
		return fmt.Errorf("purging what was deleted from vaults: %w", err)
	}
	return nil
}
