package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

const selectImageState = `SELECT s.image, s.digest, s.previous, s.event, s.changed, s.root, s.run FROM image_states s`

// ImageStates implements drydock.ImageStateStore.
func (s *Store) ImageStates(ctx context.Context, images ...drydock.ImageName) (map[drydock.ImageName]drydock.ImageState, error) {
	states := map[drydock.ImageName]drydock.ImageState{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		return inParts(imageTexts(images), func(c *conditions, part []string) error {
			in(c, "s.image", part)
			found, err := list(ctx, tx, scanImageState, selectImageState+c.where(), c.args...)
			for _, state := range found {
				states[state.Image] = state
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading what tags point at: %w", err)
	}
	return states, nil
}

// PutImageState implements drydock.ImageStateStore.
func (s *Store) PutImageState(ctx context.Context, state drydock.ImageState) (watched bool, err error) {
	image := state.Image.String()
	err = s.write(ctx, func(tx *sql.Tx) error {
		var one int
		err := tx.QueryRowContext(ctx, `SELECT 1 FROM task_bases WHERE image = $1 LIMIT 1`, image).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			_, err = tx.ExecContext(ctx, `DELETE FROM image_states WHERE image = $1`, image)
			return err
		}
		if err != nil {
			return err
		}
		watched = true
		// Of a tag that nothing was known of, nobody can say that it has changed.
		_, err = tx.ExecContext(ctx, `UPDATE task_bases SET digest = $2 WHERE image = $1 AND digest = ''
			AND NOT EXISTS (SELECT 1 FROM image_states s WHERE s.image = $1)`, image, state.Digest)
		if err != nil {
			return err
		}
		if err := putImageState(ctx, tx, state); err != nil {
			return err
		}
		return markDue(ctx, tx, state)
	})
	if err != nil {
		return false, fmt.Errorf("storing what %s points at: %w", image, err)
	}
	return watched, nil
}

func putImageState(ctx context.Context, tx *sql.Tx, s drydock.ImageState) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO image_states (image, digest, previous, event, changed, root, run)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (image) DO UPDATE SET digest = excluded.digest, previous = excluded.previous,
			event = excluded.event, changed = excluded.changed, root = excluded.root, run = excluded.run`,
		s.Image.String(), s.Digest, s.Previous, s.Event, nanos(s.Changed), s.Root, idText(s.Run))
	return err
}

// markDue notes since when tasks are due by an image.
func markDue(ctx context.Context, tx *sql.Tx, s drydock.ImageState) error {
	image := s.Image.String()
	_, err := tx.ExecContext(ctx, `UPDATE task_bases SET since = 0
		WHERE image = $1 AND since > 0 AND ($2 = '' OR $2 = digest OR $2 = before)`, image, s.Digest)
	if err != nil || s.Digest == "" {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE task_bases SET since = $3
		WHERE image = $1 AND since = 0 AND digest <> $2 AND before <> $2`, image, s.Digest, max(s.Root, 1))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE task_bases SET before = '' WHERE image = $1 AND before NOT IN ('', $2)`, image, s.Digest)
	return err
}

// ImagesWithDigest implements drydock.ImageStateStore.
func (s *Store) ImagesWithDigest(ctx context.Context, registry, repository, digest string) ([]drydock.ImageName, error) {
	prefix := registry + "/" + repository
	var found []drydock.ImageState
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		// ';' is the character after ':'.
		found, err = list(ctx, tx, scanImageState, selectImageState+` WHERE s.image > $1 AND s.image < $2 AND s.digest = $3
			ORDER BY s.image`, prefix+":", prefix+";", digest)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("finding the tags of %s: %w", digest, err)
	}
	images := make([]drydock.ImageName, len(found))
	for i, state := range found {
		images[i] = state.Image
	}
	return images, nil
}

func scanImageState(row scanner) (drydock.ImageState, error) {
	var (
		s          drydock.ImageState
		image, run string
		changed    int64
	)
	err := row.Scan(&image, &s.Digest, &s.Previous, &s.Event, &changed, &s.Root, &run)
	if err != nil {
		return s, err
	}
	s.Changed = fromNanos(changed)
	if s.Run, err = resourceID(run); err != nil {
		return s, err
	}
	s.Image, err = drydock.ParseImageName(image)
	return s, err
}
