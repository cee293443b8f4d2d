package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

const selectPrincipal = `SELECT id, COALESCE(app_id, ''), kind, name, owner, created FROM principals`

// Principal implements drydock.PrincipalStore.
func (s *Store) Principal(ctx context.Context, id string) (drydock.Principal, error) {
	return s.principal(ctx, "id", id)
}

// PrincipalByAppID implements drydock.PrincipalStore.
func (s *Store) PrincipalByAppID(ctx context.Context, appID string) (drydock.Principal, error) {
	return s.principal(ctx, "app_id", appID)
}

// Principals implements drydock.PrincipalStore.
func (s *Store) Principals(ctx context.Context, owner drydock.ResourceID) ([]drydock.Principal, error) {
	var c conditions
	c.below("owner_key", owner, true)
	var found []drydock.Principal
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanPrincipal, selectPrincipal+c.where()+` ORDER BY id`, c.args...)
		for i := 0; i < len(found) && err == nil; i++ {
			err = complete(ctx, tx, &found[i])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing principals: %w", err)
	}
	return found, nil
}

// PutPrincipal implements drydock.PrincipalStore.
func (s *Store) PutPrincipal(ctx context.Context, p drydock.Principal) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return putPrincipal(ctx, tx, p) })
	if err != nil {
		return fmt.Errorf("storing the principal %s: %w", p.ID, err)
	}
	return nil
}

// DeletePrincipal implements drydock.PrincipalStore.
func (s *Store) DeletePrincipal(ctx context.Context, id string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		found, err := affectsOne(ctx, tx, `DELETE FROM principals WHERE id = $1`, id)
		if err == nil && !found {
			return drydock.Errorf(drydock.NotFound, "there is no such principal")
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM role_assignments WHERE principal = $1`, id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting the principal %s: %w", id, err)
	}
	return nil
}

func (s *Store) principal(ctx context.Context, column, value string) (drydock.Principal, error) {
	var p drydock.Principal
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		p, err = scanPrincipal(tx.QueryRowContext(ctx, selectPrincipal+` WHERE `+column+` = $1`, value))
		if err == nil {
			err = complete(ctx, tx, &p)
		}
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return drydock.Principal{}, drydock.Errorf(drydock.NotFound, "there is no principal %s", value)
	}
	if err != nil {
		return drydock.Principal{}, fmt.Errorf("reading the principal %s: %w", value, err)
	}
	return p, nil
}

func putPrincipal(ctx context.Context, tx *sql.Tx, p drydock.Principal) error {
	var appID *string
	if p.AppID != "" {
		appID = &p.AppID
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO principals (id, app_id, kind, name, owner, owner_key, created)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET app_id = excluded.app_id, kind = excluded.kind, name = excluded.name,
			owner = excluded.owner, owner_key = excluded.owner_key, created = excluded.created`,
		p.ID, appID, string(p.Kind), p.Name, idText(p.Owner), idKey(p.Owner), nanos(p.Created))
	if breaksUnique(err) {
		return drydock.Errorf(drydock.Conflict, "another principal has the client id %s", p.AppID)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM principal_secrets WHERE principal = $1`, p.ID); err != nil {
		return err
	}
	for i, secret := range p.Secrets {
		_, err := tx.ExecContext(ctx, `INSERT INTO principal_secrets
				(principal, position, id, name, hash, created, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			p.ID, i, secret.ID, secret.Name, secret.Hash, nanos(secret.Created), nanos(secret.Expires))
		if err != nil {
			return err
		}
	}
	return putPerson(ctx, tx, p.ID, p.Person)
}

// deletePrincipalsBelow deletes the principals that a resource or something
// below it owns, with their role assignments.
func deletePrincipalsBelow(ctx context.Context, tx *sql.Tx, id drydock.ResourceID) error {
	var c conditions
	c.below("owner_key", id, true)
	_, err := tx.ExecContext(ctx, `DELETE FROM role_assignments
		WHERE principal IN (SELECT id FROM principals`+c.where()+`)`, c.args...)
	if err != nil {
		return err
	}
	return deleteBelow(ctx, tx, "principals", "owner_key", id)
}

func principalSecrets(ctx context.Context, tx *sql.Tx, id string) ([]drydock.PrincipalSecret, error) {
	scan := func(row scanner) (drydock.PrincipalSecret, error) {
		var (
			secret           drydock.PrincipalSecret
			created, expires int64
		)
		err := row.Scan(&secret.ID, &secret.Name, &secret.Hash, &created, &expires)
		secret.Created, secret.Expires = fromNanos(created), fromNanos(expires)
		return secret, err
	}
	return list(ctx, tx, scan, `SELECT id, name, hash, created, expires
		FROM principal_secrets WHERE principal = $1 ORDER BY position`, id)
}

func scanPrincipal(row scanner) (drydock.Principal, error) {
	var (
		p       drydock.Principal
		owner   string
		created int64
	)
	if err := row.Scan(&p.ID, &p.AppID, &p.Kind, &p.Name, &owner, &created); err != nil {
		return drydock.Principal{}, err
	}
	p.Created = fromNanos(created)
	var err error
	p.Owner, err = resourceID(owner)
	return p, err
}
