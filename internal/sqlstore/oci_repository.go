package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/drydockhq/drydock"
)

const (
	selectRepository = `SELECT r.name, r.locks, r.created, r.updated,
		(SELECT COUNT(*) FROM manifests m WHERE m.registry = r.registry AND m.repository = r.name),
		(SELECT COUNT(*) FROM tags t WHERE t.registry = r.registry AND t.repository = r.name)
		FROM repositories r`
	selectRepositories = `SELECT r.name, r.locks, r.created, r.updated, 0, 0 FROM repositories r`
)

func scanRepository(row scanner, registry drydock.ResourceID) (drydock.Repository, error) {
	r := drydock.Repository{Registry: registry}
	var locks int
	var created, updated int64
	err := row.Scan(&r.Name, &locks, &created, &updated, &r.Manifests, &r.Tags)
	r.Attributes, r.Created, r.Updated = fromLocks(locks), fromNanos(created), fromNanos(updated)
	return r, err
}

// Repository implements drydock.ArtifactIndex.
func (s *Store) Repository(ctx context.Context, registry drydock.ResourceID, name string) (drydock.Repository, error) {
	p := place{idKey(registry), name, ""}
	var r drydock.Repository
	err := s.read(ctx, func(tx *sql.Tx) error {
		var err error
		r, err = scanRepository(tx.QueryRowContext(ctx, selectRepository+` WHERE r.registry = $1 AND r.name = $2`,
			p.registry, name), registry)
		if errors.Is(err, sql.ErrNoRows) {
			return p.unknown()
		}
		return err
	})
	return r, err
}

// Repositories implements drydock.ArtifactIndex.
func (s *Store) Repositories(ctx context.Context, registry drydock.ResourceID, page drydock.Page) ([]drydock.Repository, error) {
	var c conditions
	c.add("r.registry = ? AND r.locks % 8 < 4", idKey(registry))
	if page.After != "" {
		c.add("r.name > ?", page.After)
	}
	query := selectRepositories + c.where() + " ORDER BY r.name"
	if page.Limit > 0 {
		query += " LIMIT " + strconv.Itoa(page.Limit)
	}
	var all []drydock.Repository
	err := s.read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = list(ctx, tx, func(row scanner) (drydock.Repository, error) {
			return scanRepository(row, registry)
		}, query, c.args...)
		return err
	})
	return all, err
}

// DeleteRepository implements drydock.ArtifactStore.
func (s *Store) DeleteRepository(ctx context.Context, ref drydock.ArtifactRef, by drydock.Actor) error {
	p := place{idKey(ref.Registry), ref.Repository, ""}
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := mayDeleteAll(ctx, tx, p); err != nil {
			return err
		}
		gone, err := list(ctx, tx, func(row scanner) (drydock.Manifest, error) {
			return scanManifest(row, ref.Registry, ref.Repository)
		}, `SELECT `+manifestColumns+` FROM manifests m WHERE m.registry = $1 AND m.repository = $2 ORDER BY m.digest`,
			p.registry, p.repository)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM repositories WHERE registry = $1 AND name = $2`,
			p.registry, p.repository); err != nil {
			return err
		}
		for _, m := range gone {
			if err := s.registryEvent(ctx, tx, drydock.DeleteEvent, m, "", "", by); err != nil {
				return err
			}
		}
		return nil
	})
}

// mayDeleteAll checks the attributes of a repository and of all that is in it.
func mayDeleteAll(ctx context.Context, tx *sql.Tx, p place) error {
	a, err := attributes(ctx, tx, p)
	if err != nil {
		return err
	}
	if !a.Delete || !a.Write {
		return p.locked("deleted")
	}
	locked, err := texts(ctx, tx, `SELECT digest FROM manifests WHERE registry = $1 AND repository = $2 AND locks % 4 > 0
		UNION ALL SELECT name FROM tags WHERE registry = $1 AND repository = $2 AND locks % 4 > 0`, p.registry, p.repository)
	if err == nil && len(locked) > 0 {
		return place{p.registry, p.repository, locked[0]}.locked("deleted")
	}
	return err
}
