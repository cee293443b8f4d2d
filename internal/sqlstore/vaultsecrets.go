package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

const selectSecretVersion = `SELECT v.vault, s.name, v.version, v.sealed, v.seal_key, v.content_type, v.tags,
		v.disabled, v.not_before, v.expires, v.created, v.updated, s.deleted, s.purge
	FROM vault_secret_versions v JOIN vault_secrets s ON s.vault = v.vault AND s.key = v.key`

// AddSecretVersion implements drydock.SecretStore.
func (s *Store) AddSecretVersion(ctx context.Context, v drydock.SecretVersion) error {
	tags, err := json.Marshal(v.Tags)
	if err != nil {
		return fmt.Errorf("writing the tags of a secret: %w", err)
	}
	key := strings.ToLower(v.Name)
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO vault_secrets (vault, key, name, deleted, purge)
			VALUES ($1, $2, $3, 0, 0) ON CONFLICT (vault, key) DO NOTHING`, v.Vault, key, v.Name)
		if err != nil {
			return err
		}
		var deleted int64
		err = tx.QueryRowContext(ctx, `SELECT deleted FROM vault_secrets WHERE vault = $1 AND key = $2`, v.Vault, key).Scan(&deleted)
		if err != nil {
			return err
		}
		if deleted != 0 {
			return drydock.Errorf(drydock.Conflict, "it was deleted and can be recovered")
		}
		added, err := affectsOne(ctx, tx, `INSERT INTO vault_secret_versions (vault, key, version, number, sealed, seal_key,
				content_type, tags, disabled, not_before, expires, created, updated)
			VALUES ($1, $2, $3, (SELECT COALESCE(MAX(number), 0) + 1 FROM vault_secret_versions WHERE vault = $1 AND key = $2),
				$4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (vault, key, version) DO NOTHING`,
			v.Vault, key, v.Version, nonNil(v.Sealed), v.SealKey, v.ContentType, tags, number(v.Disabled),
			nanos(v.NotBefore), nanos(v.Expires), nanos(v.Created), nanos(v.Updated))
		if err == nil && !added {
			return drydock.Errorf(drydock.Conflict, "there is a version %s of it", v.Version)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the secret %s: %w", v.Name, err)
	}
	return nil
}

// SecretVersions implements drydock.SecretStore.
func (s *Store) SecretVersions(ctx context.Context, f drydock.SecretFilter) ([]drydock.SecretVersion, error) {
	query, args := secretQuery(f)
	var found []drydock.SecretVersion
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanSecretVersion, query, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading secrets: %w", err)
	}
	return found, nil
}

func secretQuery(f drydock.SecretFilter) (string, []any) {
	var c conditions
	c.add("v.vault = ?", f.Vault)
	key, after := strings.ToLower(f.Name), strings.ToLower(f.After)
	if key != "" {
		c.add("v.key = ?", key)
	}
	if f.Version != "" {
		c.add("v.version = ?", strings.ToLower(f.Version))
	}
	if f.Latest {
		c.add(`v.number = (SELECT MAX(number) FROM vault_secret_versions n WHERE n.vault = v.vault AND n.key = v.key)`)
	}
	switch {
	case f.Any:
	case f.Deleted:
		c.add("s.deleted <> 0")
	default:
		c.add("s.deleted = 0")
	}
	switch {
	case after != "" && key != "":
		c.add(`v.number < (SELECT number FROM vault_secret_versions a WHERE a.vault = v.vault AND a.key = v.key AND a.version = ?)`, after)
	case after != "":
		c.add("v.key > ?", after)
	}
	query := selectSecretVersion + c.where() + ` ORDER BY v.key, v.number DESC`
	if f.Limit > 0 {
		c.args = append(c.args, f.Limit)
		query += fmt.Sprintf(" LIMIT $%d", len(c.args))
	}
	return query, c.args
}

// UpdateSecretVersion implements drydock.SecretStore.
func (s *Store) UpdateSecretVersion(ctx context.Context, v drydock.SecretVersion) error {
	tags, err := json.Marshal(v.Tags)
	if err != nil {
		return fmt.Errorf("writing the tags of a secret: %w", err)
	}
	return s.oneSecret(ctx, v.Name, `UPDATE vault_secret_versions
		SET content_type = $4, tags = $5, disabled = $6, not_before = $7, expires = $8, updated = $9
		WHERE vault = $1 AND key = $2 AND version = $3`,
		v.Vault, strings.ToLower(v.Name), strings.ToLower(v.Version), v.ContentType, tags, number(v.Disabled),
		nanos(v.NotBefore), nanos(v.Expires), nanos(v.Updated))
}

// SetSecretDeleted implements drydock.SecretStore.
func (s *Store) SetSecretDeleted(ctx context.Context, vault, name string, deleted, purge time.Time) error {
	key := strings.ToLower(name)
	err := s.write(ctx, func(tx *sql.Tx) error {
		changed, err := affectsOne(ctx, tx, `UPDATE vault_secrets SET deleted = $3, purge = $4
			WHERE vault = $1 AND key = $2 AND (deleted = 0) <> ($3 = 0)`, vault, key, nanos(deleted), nanos(purge))
		if err != nil || changed {
			return err
		}
		var there int
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM vault_secrets WHERE vault = $1 AND key = $2`, vault, key).Scan(&there)
		switch {
		case err != nil:
			return err
		case there == 0:
			return drydock.Errorf(drydock.NotFound, "there is none")
		}
		return drydock.Errorf(drydock.Conflict, "it is so already")
	})
	if err != nil {
		return fmt.Errorf("changing the secret %s: %w", name, err)
	}
	return nil
}

// PurgeSecret implements drydock.SecretStore.
func (s *Store) PurgeSecret(ctx context.Context, vault, name string) error {
	return s.oneSecret(ctx, name, `DELETE FROM vault_secrets WHERE vault = $1 AND key = $2`, vault, strings.ToLower(name))
}

// oneSecret runs a statement that must change something of a secret.
func (s *Store) oneSecret(ctx context.Context, name, query string, args ...any) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		found, err := affectsOne(ctx, tx, query, args...)
		if err == nil && !found {
			return drydock.Errorf(drydock.NotFound, "there is none")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("changing the secret %s: %w", name, err)
	}
	return nil
}

func scanSecretVersion(row scanner) (drydock.SecretVersion, error) {
	var (
		v                                             drydock.SecretVersion
		tags                                          []byte
		disabled                                      int
		from, to, created, updated, deleted, purgeDue int64
	)
	err := row.Scan(&v.Vault, &v.Name, &v.Version, &v.Sealed, &v.SealKey, &v.ContentType, &tags,
		&disabled, &from, &to, &created, &updated, &deleted, &purgeDue)
	if err != nil {
		return drydock.SecretVersion{}, err
	}
	v.Disabled = disabled != 0
	v.NotBefore, v.Expires, v.Created, v.Updated = fromNanos(from), fromNanos(to), fromNanos(created), fromNanos(updated)
	v.Deleted, v.Purge = fromNanos(deleted), fromNanos(purgeDue)
	if err := json.Unmarshal(tags, &v.Tags); err != nil {
		return drydock.SecretVersion{}, fmt.Errorf("reading the tags of the secret %s: %w", v.Name, err)
	}
	return v, nil
}
