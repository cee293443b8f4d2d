package sqlstore

import (
	"context"
	"database/sql"

	"github.com/drydockhq/drydock"
)

// DeleteManifest implements drydock.ArtifactStore.
func (s *Store) DeleteManifest(ctx context.Context, ref drydock.ArtifactRef, by drydock.Actor) error {
	p := placeOf(ref)
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := mayDelete(ctx, tx, p); err != nil {
			return err
		}
		gone, err := deleteTree(ctx, tx, ref.Registry, p)
		if err != nil {
			return err
		}
		for _, m := range gone {
			if err := s.registryEvent(ctx, tx, drydock.DeleteEvent, m, "", "", by); err != nil {
				return err
			}
		}
		return touchRepository(ctx, tx, p)
	})
}

// mayDelete checks the attributes of a manifest with its tags and repository,
// or of a tag with its repository.
func mayDelete(ctx context.Context, tx *sql.Tx, p place) error {
	places := []place{{p.registry, p.repository, ""}, p}
	if isDigest(p.reference) {
		tags, err := texts(ctx, tx, `SELECT name FROM tags WHERE registry = $1 AND repository = $2 AND digest = $3`,
			p.registry, p.repository, p.reference)
		if err != nil {
			return err
		}
		for _, tag := range tags {
			places = append(places, place{p.registry, p.repository, tag})
		}
	}
	for _, p := range places {
		a, err := attributes(ctx, tx, p)
		if err != nil {
			return err
		}
		if !a.Delete || !a.Write {
			return p.locked("deleted")
		}
	}
	return nil
}

// deleteTree deletes a manifest and what refers to it, and what refers to that,
// except what may not be deleted.
func deleteTree(ctx context.Context, tx *sql.Tx, registry drydock.ResourceID, p place) ([]drydock.Manifest, error) {
	row := tx.QueryRowContext(ctx, `SELECT `+manifestColumns+` FROM manifests m
		WHERE m.registry = $1 AND m.repository = $2 AND m.digest = $3`, p.registry, p.repository, p.reference)
	m, err := scanManifest(row, registry, p.repository)
	if err != nil {
		return nil, err
	}
	referrers, err := texts(ctx, tx, `SELECT digest FROM manifests WHERE registry = $1 AND repository = $2 AND subject = $3`,
		p.registry, p.repository, p.reference)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM manifests WHERE registry = $1 AND repository = $2 AND digest = $3`,
		p.registry, p.repository, p.reference); err != nil {
		return nil, err
	}
	gone := []drydock.Manifest{m}
	for _, digest := range referrers {
		r := place{p.registry, p.repository, digest}
		switch err := mayDelete(ctx, tx, r); drydock.CodeOf(err) {
		case drydock.Conflict, drydock.NotFound:
			continue
		case "":
		default:
			return nil, err
		}
		more, err := deleteTree(ctx, tx, registry, r)
		if err != nil {
			return nil, err
		}
		gone = append(gone, more...)
	}
	return gone, nil
}
