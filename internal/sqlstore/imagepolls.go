package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

const selectImagePoll = `SELECT registry, repository, tag, digest, validator, checked, changed, next, failures, problem FROM image_polls`

// ImagePoll implements drydock.ImagePollStore.
func (s *Store) ImagePoll(ctx context.Context, image drydock.ImageName) (drydock.ImagePoll, error) {
	var p drydock.ImagePoll
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		p, err = scanImagePoll(tx.QueryRowContext(ctx, selectImagePoll+` WHERE registry = $1 AND repository = $2 AND tag = $3`,
			image.Registry, image.Repository, image.Tag))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return drydock.ImagePoll{}, drydock.Errorf(drydock.NotFound, "nothing is known of the image %s", image)
	}
	if err != nil {
		return drydock.ImagePoll{}, fmt.Errorf("reading what is known of the image %s: %w", image, err)
	}
	return p, nil
}

// ImagePolls implements drydock.ImagePollStore.
func (s *Store) ImagePolls(ctx context.Context) ([]drydock.ImagePoll, error) {
	var found []drydock.ImagePoll
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanImagePoll, selectImagePoll+` ORDER BY registry, repository, tag`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what is known of images: %w", err)
	}
	return found, nil
}

// PutImagePoll implements drydock.ImagePollStore.
func (s *Store) PutImagePoll(ctx context.Context, p drydock.ImagePoll) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO image_polls
				(registry, repository, tag, digest, validator, checked, changed, next, failures, problem)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (registry, repository, tag) DO UPDATE SET digest = excluded.digest, validator = excluded.validator,
				checked = excluded.checked, changed = excluded.changed, next = excluded.next,
				failures = excluded.failures, problem = excluded.problem`,
			p.Image.Registry, p.Image.Repository, p.Image.Tag, p.Digest, p.Validator,
			nanos(p.Checked), nanos(p.Changed), nanos(p.Next), p.Failures, p.Problem)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing what is known of the image %s: %w", p.Image, err)
	}
	return nil
}

// DeleteImagePoll implements drydock.ImagePollStore.
func (s *Store) DeleteImagePoll(ctx context.Context, image drydock.ImageName) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM image_polls WHERE registry = $1 AND repository = $2 AND tag = $3`,
			image.Registry, image.Repository, image.Tag)
		return err
	})
	if err != nil {
		return fmt.Errorf("forgetting the image %s: %w", image, err)
	}
	return nil
}

// RegistryPauses implements drydock.RegistryPauseStore.
func (s *Store) RegistryPauses(ctx context.Context) ([]drydock.RegistryPause, error) {
	var found []drydock.RegistryPause
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanRegistryPause, `SELECT host, until, failures, reason FROM registry_pauses ORDER BY host`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the pauses of registries: %w", err)
	}
	return found, nil
}

// PutRegistryPause implements drydock.RegistryPauseStore.
func (s *Store) PutRegistryPause(ctx context.Context, p drydock.RegistryPause) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if p.Until.IsZero() {
			_, err := tx.ExecContext(ctx, `DELETE FROM registry_pauses WHERE host = $1`, p.Host)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO registry_pauses (host, until, failures, reason) VALUES ($1, $2, $3, $4)
			ON CONFLICT (host) DO UPDATE SET until = excluded.until, failures = excluded.failures, reason = excluded.reason`,
			p.Host, nanos(p.Until), p.Failures, p.Reason)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the pause of the registry %s: %w", p.Host, err)
	}
	return nil
}

func scanImagePoll(row scanner) (drydock.ImagePoll, error) {
	var (
		p                      drydock.ImagePoll
		checked, changed, next int64
	)
	err := row.Scan(&p.Image.Registry, &p.Image.Repository, &p.Image.Tag, &p.Digest, &p.Validator,
		&checked, &changed, &next, &p.Failures, &p.Problem)
	p.Checked, p.Changed, p.Next = fromNanos(checked), fromNanos(changed), fromNanos(next)
	return p, err
}

func scanRegistryPause(row scanner) (drydock.RegistryPause, error) {
	var (
		p     drydock.RegistryPause
		until int64
	)
	err := row.Scan(&p.Host, &until, &p.Failures, &p.Reason)
	p.Until = fromNanos(until)
	return p, err
}
