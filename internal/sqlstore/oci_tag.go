package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/drydockhq/drydock"
)

// putTag points a tag at a manifest and returns the digest that it pointed at
// before.
func putTag(ctx context.Context, tx *sql.Tx, p place, digest string, now time.Time) (string, error) {
	var previous string
	var locks int
	err := tx.QueryRowContext(ctx, `SELECT digest, locks FROM tags WHERE registry = $1 AND repository = $2 AND name = $3`,
		p.registry, p.repository, p.reference).Scan(&previous, &locks)
	switch {
	case err == nil && !fromLocks(locks).Write:
		return "", p.locked("moved")
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO tags (registry, repository, name, digest, locks, created, updated)
		VALUES ($1, $2, $3, $4, 0, $5, $5)
		ON CONFLICT (registry, repository, name) DO UPDATE SET digest = excluded.digest, updated = excluded.updated`,
		p.registry, p.repository, p.reference, digest, nanos(now))
	return previous, err
}

// Tags implements drydock.ArtifactIndex.
func (s *Store) Tags(ctx context.Context, f drydock.TagFilter) ([]drydock.Tag, error) {
	var c conditions
	c.add("t.registry = ? AND t.repository = ?", idKey(f.Registry), f.Repository)
	if f.Name != "" {
		c.add("t.name = ?", f.Name)
	}
	if f.Digest != "" {
		c.add("t.digest = ?", f.Digest)
	}
	if !f.Hidden {
		c.add("t.locks % 8 < 4")
	}
	var all []drydock.Tag
	err := s.read(ctx, func(tx *sql.Tx) error {
		tail, err := pageTail(ctx, tx, &c, "tags", "t", "name", f.Order, f.Page)
		if err != nil {
			return err
		}
		all, err = list(ctx, tx, func(row scanner) (drydock.Tag, error) {
			t := drydock.Tag{Registry: f.Registry, Repository: f.Repository}
			var locks int
			var created, updated int64
			err := row.Scan(&t.Name, &t.Digest, &locks, &created, &updated)
			t.Attributes, t.Created, t.Updated = fromLocks(locks), fromNanos(created), fromNanos(updated)
			return t, err
		}, `SELECT t.name, t.digest, t.locks, t.created, t.updated FROM tags t`+c.where()+tail, c.args...)
		return err
	})
	return all, err
}

// DeleteTag implements drydock.ArtifactStore.
func (s *Store) DeleteTag(ctx context.Context, ref drydock.ArtifactRef, by drydock.Actor) error {
	p := placeOf(ref)
	if isDigest(p.reference) {
		return p.unknown()
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := mayDelete(ctx, tx, p); err != nil {
			return err
		}
		m, err := namedManifest(ctx, tx, ref.Registry, p)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM tags WHERE registry = $1 AND repository = $2 AND name = $3`,
			p.registry, p.repository, p.reference); err != nil {
			return err
		}
		if err := s.registryEvent(ctx, tx, drydock.UntagEvent, m, p.reference, m.Digest, by); err != nil {
			return err
		}
		return touchRepository(ctx, tx, p)
	})
}
