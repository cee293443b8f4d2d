package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/drydockhq/drydock"
)

func putTaskImages(ctx context.Context, tx *sql.Tx, t drydock.TaskImages) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO task_images
			(task, registry, name, learnt, outdated, ended, armed, reading, read_for, problem, base_trigger, paused)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (task) DO UPDATE SET learnt = excluded.learnt, outdated = excluded.outdated, ended = excluded.ended, armed = excluded.armed,
			reading = excluded.reading, read_for = excluded.read_for, problem = excluded.problem, base_trigger = excluded.base_trigger, paused = excluded.paused`,
		t.Task.Key(), t.Task.Parent().Key(), strings.ToLower(t.Task.Name()), t.Learnt, t.Outdated, t.Ended, nanos(t.Armed),
		number(t.Reading), t.ReadFor, t.Problem, string(t.Trigger), number(t.Paused))
	return err
}

// putBases replaces the bases and outputs of a task. What is due stays due since
// the same change.
func putBases(ctx context.Context, tx *sql.Tx, t drydock.TaskImages) error {
	task := t.Task.Key()
	since := map[string]int64{}
	_, err := list(ctx, tx, func(row scanner) (struct{}, error) {
		_, base, err := scanBase(row)
		since[base.Image.String()] = base.Since
		return struct{}{}, err
	}, `SELECT task, image, kind, digest, before, built, since FROM task_bases WHERE task = $1`, task)
	if err != nil {
		return err
	}
	for _, statement := range []string{`DELETE FROM task_bases WHERE task = $1`, `DELETE FROM task_outputs WHERE task = $1`} {
		if _, err := tx.ExecContext(ctx, statement, task); err != nil {
			return err
		}
	}
	for _, b := range t.Bases {
		image := b.Image.String()
		if _, before := since[image]; !before {
			// What was known when somebody last watched it may not be so any more.
			_, err := tx.ExecContext(ctx, `DELETE FROM image_states WHERE image = $1
				AND NOT EXISTS (SELECT 1 FROM task_bases WHERE image = $1)`, image)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO task_bases (task, image, kind, digest, before, built, since, counts)
			VALUES ($1, $2, $3, $4, $5, $8, COALESCE((SELECT CASE WHEN $6 > 0 THEN $6 ELSE MAX(root, 1) END FROM image_states
				WHERE image = $2 AND digest NOT IN ('', $4, $5)), 0), $7)`,
			task, image, string(b.Kind), b.Digest, b.Before, since[image], number(t.Counts(b)), b.Built)
		if err != nil {
			return err
		}
	}
	for _, image := range t.Outputs {
		if _, err := tx.ExecContext(ctx, `INSERT INTO task_outputs (task, image) VALUES ($1, $2)
			ON CONFLICT (task, image) DO NOTHING`, task, image.String()); err != nil {
			return err
		}
	}
	return nil
}

func scanTaskImages(row scanner) (drydock.TaskImages, error) {
	var (
		t       drydock.TaskImages
		id      string
		armed   int64
		reading int
		paused  int
	)
	err := row.Scan(&id, &t.Learnt, &t.Outdated, &t.Ended, &armed, &reading, &t.ReadFor, &t.Problem, &t.Trigger, &paused)
	if err != nil {
		return t, err
	}
	t.Armed, t.Reading, t.Paused = fromNanos(armed), reading != 0, paused != 0
	t.Task, err = resourceID(id)
	return t, err
}

func scanBase(row scanner) (task string, b drydock.BaseImage, err error) {
	var image string
	if err := row.Scan(&task, &image, &b.Kind, &b.Digest, &b.Before, &b.Built, &b.Since); err != nil {
		return "", b, err
	}
	b.Image, err = drydock.ParseImageName(image)
	return task, b, err
}

func scanOutput(row scanner) (task string, image drydock.ImageName, err error) {
	var text string
	if err := row.Scan(&task, &text); err != nil {
		return "", image, err
	}
	image, err = drydock.ParseImageName(text)
	return task, image, err
}
