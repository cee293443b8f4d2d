package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/drydockhq/drydock"
)

// PutBlob implements drydock.BlobIndex.
func (s *Store) PutBlob(ctx context.Context, l drydock.BlobLink) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO blobs (registry, repository, digest, canonical, size, used)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (registry, repository, digest) DO UPDATE SET used = excluded.used`,
			idKey(l.Registry), l.Repository, l.Digest, l.Canonical, l.Size, nanos(time.Now()))
		if breaksForeignKey(err) {
			return drydock.Errorf(drydock.NotFound, "there is no such registry")
		}
		return err
	})
}

// Blob implements drydock.BlobIndex.
func (s *Store) Blob(ctx context.Context, ref drydock.ArtifactRef, stale time.Time) (drydock.BlobLink, error) {
	p := placeOf(ref)
	l := drydock.BlobLink{Registry: ref.Registry, Repository: ref.Repository, Digest: ref.Reference}
	var used int64
	find := func(tx *sql.Tx) error {
		var locks int
		err := tx.QueryRowContext(ctx, `SELECT b.canonical, b.size, b.used, COALESCE(r.locks, 0) FROM blobs b
			LEFT JOIN repositories r ON r.registry = b.registry AND r.name = b.repository
			WHERE b.registry = $1 AND b.repository = $2 AND b.digest = $3`, p.registry, p.repository, p.reference).
			Scan(&l.Canonical, &l.Size, &used, &locks)
		if errors.Is(err, sql.ErrNoRows) {
			return noBlob(p)
		}
		if err == nil && !fromLocks(locks).Read {
			return place{p.registry, p.repository, ""}.locked("read")
		}
		return err
	}
	if err := s.read(ctx, find); err != nil || used >= nanos(stale) {
		return l, err
	}
	// It may be swept between the two.
	return l, s.write(ctx, func(tx *sql.Tx) error {
		if err := find(tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE blobs SET used = $4 WHERE registry = $1 AND repository = $2 AND digest = $3`,
			p.registry, p.repository, p.reference, nanos(time.Now()))
		return err
	})
}

func noBlob(p place) error {
	return drydock.Errorf(drydock.NotFound, "%s has no blob %s", p.repository, p.reference)
}

// DeleteBlob implements drydock.BlobIndex.
func (s *Store) DeleteBlob(ctx context.Context, ref drydock.ArtifactRef) error {
	p := placeOf(ref)
	return s.write(ctx, func(tx *sql.Tx) error {
		needed, err := texts(ctx, tx, `SELECT manifest FROM manifest_blobs
			WHERE registry = $1 AND repository = $2 AND digest = $3 LIMIT 1`, p.registry, p.repository, p.reference)
		if err != nil {
			return err
		}
		if len(needed) > 0 {
			return drydock.Errorf(drydock.Conflict, "manifest %s@%s needs the blob", p.repository, needed[0])
		}
		found, err := affectsOne(ctx, tx, `DELETE FROM blobs WHERE registry = $1 AND repository = $2 AND digest = $3`,
			p.registry, p.repository, p.reference)
		if err == nil && !found {
			err = noBlob(p)
		}
		return err
	})
}

// SweepBlobs implements drydock.BlobIndex.
func (s *Store) SweepBlobs(ctx context.Context, registry drydock.ResourceID, before time.Time, limit int) (links []drydock.BlobLink, gone []string, err error) {
	key := idKey(registry)
	// Mostly there is nothing to do: writers need not wait for that.
	err = s.read(ctx, func(tx *sql.Tx) (err error) {
		links, err = sweepable(ctx, tx, registry, before, 1)
		return err
	})
	if err != nil || len(links) == 0 {
		return nil, nil, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		var err error
		if links, err = sweepable(ctx, tx, registry, before, limit); err != nil {
			return err
		}
		for _, l := range links {
			if _, err := tx.ExecContext(ctx, `DELETE FROM blobs WHERE registry = $1 AND repository = $2 AND digest = $3`,
				key, l.Repository, l.Digest); err != nil {
				return err
			}
		}
		gone = nil
		seen := map[string]bool{}
		for _, l := range links {
			if seen[l.Canonical] {
				continue
			}
			seen[l.Canonical] = true
			held, err := holder(ctx, tx, key, l.Canonical)
			if err != nil {
				return err
			}
			if held == "" {
				gone = append(gone, l.Canonical)
			}
		}
		return nil
	})
	return links, gone, err
}

// sweepable returns blobs that nobody needs.
func sweepable(ctx context.Context, tx *sql.Tx, registry drydock.ResourceID, before time.Time, limit int) ([]drydock.BlobLink, error) {
	return list(ctx, tx, func(row scanner) (drydock.BlobLink, error) {
		l := drydock.BlobLink{Registry: registry}
		err := row.Scan(&l.Repository, &l.Digest, &l.Canonical, &l.Size)
		return l, err
	}, `SELECT b.repository, b.digest, b.canonical, b.size FROM blobs b
		WHERE b.registry = $1 AND b.used < $2 AND NOT EXISTS (SELECT 1 FROM manifest_blobs n
			WHERE n.registry = b.registry AND n.repository = b.repository AND n.digest = b.digest)
		ORDER BY b.used, b.repository, b.digest LIMIT $3`, idKey(registry), nanos(before), limit)
}

func holder(ctx context.Context, tx *sql.Tx, registry, canonical string) (string, error) {
	found, err := texts(ctx, tx, `SELECT repository FROM blobs WHERE registry = $1 AND canonical = $2 LIMIT 1`, registry, canonical)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// Holder implements drydock.BlobIndex.
func (s *Store) Holder(ctx context.Context, registry drydock.ResourceID, canonical string) (string, error) {
	var held string
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		held, err = holder(ctx, tx, idKey(registry), canonical)
		return err
	})
	return held, err
}

// Usage implements drydock.UsageStore.
func (s *Store) Usage(ctx context.Context, registry drydock.ResourceID) (int64, error) {
	var blobs, manifests int64
	err := s.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT
			(SELECT COALESCE(SUM(size), 0) FROM (SELECT DISTINCT canonical, size FROM blobs WHERE registry = $1) b),
			(SELECT COALESCE(SUM(size), 0) FROM (SELECT DISTINCT digest, size FROM manifests WHERE registry = $1) m)`,
			idKey(registry)).Scan(&blobs, &manifests)
	})
	return blobs + manifests, err
}
