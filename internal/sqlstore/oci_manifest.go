package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// PutManifest implements drydock.ArtifactStore.
func (s *Store) PutManifest(ctx context.Context, m drydock.Manifest, tags []string, by drydock.Actor) error {
	p := place{idKey(m.Registry), m.Repository, m.Digest}
	return s.write(ctx, func(tx *sql.Tx) error {
		now := time.Now()
		if err := putRepository(ctx, tx, p, now); err != nil {
			return err
		}
		if err := requireContent(ctx, tx, p, m); err != nil {
			return err
		}
		if err := putManifest(ctx, tx, p, m, now); err != nil {
			return err
		}
		if len(tags) == 0 {
			return s.registryEvent(ctx, tx, drydock.PushEvent, m, "", "", by)
		}
		for _, tag := range tags {
			previous, err := putTag(ctx, tx, place{p.registry, p.repository, tag}, m.Digest, now)
			if err != nil {
				return err
			}
			if err := s.registryEvent(ctx, tx, drydock.PushEvent, m, tag, previous, by); err != nil {
				return err
			}
		}
		return nil
	})
}

// registryEvent appends an event about a manifest.
func (s *Store) registryEvent(ctx context.Context, tx *sql.Tx, kind string, m drydock.Manifest, tag, previous string, by drydock.Actor) error {
	data, err := json.Marshal(drydock.RegistryEvent{
		Repository: m.Repository, Tag: tag, Digest: m.Digest, Previous: previous,
		MediaType: m.MediaType, ArtifactType: m.ArtifactType, Size: m.Size, Actor: by.ID, Run: idText(by.Run), Agent: by.Agent,
	})
	if err != nil {
		return fmt.Errorf("writing an event: %w", err)
	}
	_, err = s.appendEvent(ctx, tx, drydock.Event{
		ID: uuid.NewString(), Kind: kind, Subject: m.Registry, Data: data, Time: time.Now(),
	})
	return err
}

// putRepository makes sure that there is a repository that may be written to.
func putRepository(ctx context.Context, tx *sql.Tx, p place, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO repositories (registry, name, locks, created, updated)
		VALUES ($1, $2, 0, $3, $3) ON CONFLICT (registry, name) DO UPDATE SET updated = excluded.updated`,
		p.registry, p.repository, nanos(now))
	if breaksForeignKey(err) {
		return drydock.Errorf(drydock.NotFound, "there is no such registry")
	}
	if err != nil {
		return err
	}
	p.reference = ""
	a, err := attributes(ctx, tx, p)
	if err == nil && !a.Write {
		err = p.locked("written to")
	}
	return err
}

// requireContent checks that the repository holds what a manifest names.
func requireContent(ctx context.Context, tx *sql.Tx, p place, m drydock.Manifest) error {
	missing := func(table, digest string) error {
		var one int
		err := tx.QueryRowContext(ctx, "SELECT 1 FROM "+table+" WHERE registry = $1 AND repository = $2 AND digest = $3",
			p.registry, p.repository, digest).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return &drydock.MissingContentError{Digest: digest}
		}
		return err
	}
	for _, digest := range m.Blobs {
		if err := missing("blobs", digest); err != nil {
			return err
		}
	}
	for _, child := range m.Children {
		if err := missing("manifests", child.Digest); err != nil {
			return err
		}
	}
	return nil
}

func putManifest(ctx context.Context, tx *sql.Tx, p place, m drydock.Manifest, now time.Time) error {
	a, err := attributes(ctx, tx, p)
	switch {
	case err == nil && !a.Write:
		return p.locked("written to")
	case err == nil:
		_, err := tx.ExecContext(ctx, `UPDATE manifests SET updated = $4 WHERE registry = $1 AND repository = $2 AND digest = $3`,
			p.registry, p.repository, p.reference, nanos(now))
		return err
	case drydock.CodeOf(err) != drydock.NotFound:
		return err
	}
	annotations, err := json.Marshal(m.Annotations)
	if err != nil {
		return fmt.Errorf("writing annotations: %w", err)
	}
	children, err := json.Marshal(m.Children)
	if err != nil {
		return fmt.Errorf("writing children: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO manifests (registry, repository, digest, media_type, config_type,
		artifact_type, subject, os, architecture, size, total_size, annotations, children, locks, created, updated, content)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $14, $15)`,
		p.registry, p.repository, p.reference, m.MediaType, m.ConfigType, m.ArtifactType, m.Subject, m.OS,
		m.Architecture, m.Size, m.TotalSize, string(annotations), string(children), nanos(now), m.Content)
	if err != nil {
		return err
	}
	for _, digest := range m.Blobs {
		_, err := tx.ExecContext(ctx, `INSERT INTO manifest_blobs (registry, repository, digest, manifest)
			VALUES ($1, $2, $3, $4)`, p.registry, p.repository, digest, p.reference)
		if err != nil {
			return err
		}
	}
	return nil
}

// manifestColumns are what scanManifest reads, before the content.
const manifestColumns = `m.digest, m.media_type, m.config_type, m.artifact_type, m.subject, m.os, m.architecture,
	m.size, m.total_size, m.annotations, m.children, m.locks, m.created, m.updated`

func scanManifest(row scanner, registry drydock.ResourceID, repository string, more ...any) (drydock.Manifest, error) {
	m := drydock.Manifest{Registry: registry, Repository: repository}
	var annotations, children string
	var locks int
	var created, updated int64
	err := row.Scan(append([]any{
		&m.Digest, &m.MediaType, &m.ConfigType, &m.ArtifactType, &m.Subject, &m.OS, &m.Architecture,
		&m.Size, &m.TotalSize, &annotations, &children, &locks, &created, &updated,
	}, more...)...)
	if err != nil {
		return m, err
	}
	m.Attributes, m.Created, m.Updated = fromLocks(locks), fromNanos(created), fromNanos(updated)
	if err := json.Unmarshal([]byte(annotations), &m.Annotations); err != nil {
		return m, fmt.Errorf("reading annotations: %w", err)
	}
	if err := json.Unmarshal([]byte(children), &m.Children); err != nil {
		return m, fmt.Errorf("reading children: %w", err)
	}
	return m, nil
}

// Manifest implements drydock.ArtifactIndex.
func (s *Store) Manifest(ctx context.Context, ref drydock.ArtifactRef) (drydock.Manifest, error) {
	p := placeOf(ref)
	var m drydock.Manifest
	err := s.read(ctx, func(tx *sql.Tx) error {
		var err error
		if m, err = namedManifest(ctx, tx, ref.Registry, p); err != nil {
			return err
		}
		if m.Blobs, err = texts(ctx, tx, `SELECT digest FROM manifest_blobs
			WHERE registry = $1 AND repository = $2 AND manifest = $3 ORDER BY digest`, p.registry, p.repository, m.Digest); err != nil {
			return err
		}
		m.Tags, err = texts(ctx, tx, `SELECT name FROM tags
			WHERE registry = $1 AND repository = $2 AND digest = $3 ORDER BY name`, p.registry, p.repository, m.Digest)
		return err
	})
	return m, err
}

// namedManifest reads the manifest that a place names by tag or digest, with
// its content and effective attributes.
func namedManifest(ctx context.Context, tx *sql.Tx, registry drydock.ResourceID, p place) (drydock.Manifest, error) {
	query := `SELECT ` + manifestColumns + `, m.content, r.locks, 0 FROM manifests m
		JOIN repositories r ON r.registry = m.registry AND r.name = m.repository
		WHERE m.registry = $1 AND m.repository = $2 AND m.digest = $3`
	if !isDigest(p.reference) {
		query = `SELECT ` + manifestColumns + `, m.content, r.locks, t.locks FROM tags t
			JOIN manifests m ON m.registry = t.registry AND m.repository = t.repository AND m.digest = t.digest
			JOIN repositories r ON r.registry = t.registry AND r.name = t.repository
			WHERE t.registry = $1 AND t.repository = $2 AND t.name = $3`
	}
	var content []byte
	var repositoryLocks, tagLocks int
	row := tx.QueryRowContext(ctx, query, p.registry, p.repository, p.reference)
	m, err := scanManifest(row, registry, p.repository, &content, &repositoryLocks, &tagLocks)
	if errors.Is(err, sql.ErrNoRows) {
		return m, p.unknown()
	}
	m.Content = content
	m.Effective = m.Attributes.And(fromLocks(repositoryLocks)).And(fromLocks(tagLocks))
	return m, err
}

// texts returns the only column of a query.
func texts(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]string, error) {
	return list(ctx, tx, func(row scanner) (text string, err error) {
		err = row.Scan(&text)
		return text, err
	}, query, args...)
}

func touchRepository(ctx context.Context, tx *sql.Tx, p place) error {
	_, err := tx.ExecContext(ctx, `UPDATE repositories SET updated = $3 WHERE registry = $1 AND name = $2`,
		p.registry, p.repository, nanos(time.Now()))
	return err
}
