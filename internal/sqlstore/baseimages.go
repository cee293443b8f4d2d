package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

var (
	_ drydock.TaskImageStore  = (*Store)(nil)
	_ drydock.TaskGraph       = (*Store)(nil)
	_ drydock.ImageStateStore = (*Store)(nil)
	_ drydock.DueStore        = (*Store)(nil)
)

const selectTaskImages = `SELECT resources.id, t.learnt, t.outdated, t.ended, t.armed, t.reading, t.read_for, t.problem, t.base_trigger, t.paused
	FROM task_images t JOIN resources ON resources.key = t.task`

// TaskImages implements drydock.TaskImageStore.
func (s *Store) TaskImages(ctx context.Context, tasks ...drydock.ResourceID) ([]drydock.TaskImages, error) {
	known := make(map[string]drydock.TaskImages, len(tasks))
	err := s.read(ctx, func(tx *sql.Tx) error {
		return inParts(taskKeys(tasks), func(c *conditions, part []string) error {
			in(c, "t.task", part)
			found, err := taskImages(ctx, tx, c.where(), c.args...)
			for _, t := range found {
				known[t.Task.Key()] = t
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the images of tasks: %w", err)
	}
	all := make([]drydock.TaskImages, len(tasks))
	for i, task := range tasks {
		all[i] = known[task.Key()]
		if all[i].Task.Subscription == "" {
			all[i].Task = task
		}
	}
	return all, nil
}

// RegistryImages implements drydock.TaskImageStore.
func (s *Store) RegistryImages(ctx context.Context, registry drydock.ResourceID) ([]drydock.TaskImages, error) {
	var c conditions
	if key := idKey(registry); key != "" {
		c.add("t.registry = ?", key)
	}
	var all []drydock.TaskImages
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		all, err = taskImages(ctx, tx, c.where(), c.args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the images of tasks: %w", err)
	}
	return all, nil
}

// taskImages reads the rows of task_images, as t, that a clause selects, with
// their bases and outputs.
func taskImages(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]drydock.TaskImages, error) {
	all, err := list(ctx, tx, scanTaskImages, selectTaskImages+where+` ORDER BY t.task`, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	at := make(map[string]*drydock.TaskImages, len(all))
	for i := range all {
		at[all[i].Task.Key()] = &all[i]
	}
	_, err = list(ctx, tx, func(row scanner) (struct{}, error) {
		task, base, err := scanBase(row)
		if t := at[task]; t != nil && err == nil {
			t.Bases = append(t.Bases, base)
		}
		return struct{}{}, err
	}, `SELECT b.task, b.image, b.kind, b.digest, b.before, b.since FROM task_images t JOIN task_bases b ON b.task = t.task`+
		where+` ORDER BY b.image`, args...)
	if err != nil {
		return nil, err
	}
	_, err = list(ctx, tx, func(row scanner) (struct{}, error) {
		task, image, err := scanOutput(row)
		if t := at[task]; t != nil && err == nil {
			t.Outputs = append(t.Outputs, image)
		}
		return struct{}{}, err
	}, `SELECT o.task, o.image FROM task_images t JOIN task_outputs o ON o.task = t.task`+where+` ORDER BY o.image`, args...)
	return all, err
}

// PutTaskImages implements drydock.TaskImageStore.
func (s *Store) PutTaskImages(ctx context.Context, t drydock.TaskImages) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := resource(ctx, tx, t.Task); err != nil {
			return err
		}
		if err := putTaskImages(ctx, tx, t); err != nil {
			return err
		}
		return putBases(ctx, tx, t)
	})
	if err != nil {
		return fmt.Errorf("storing the images of task %s: %w", t.Task.Name(), err)
	}
	return nil
}

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
	}, `SELECT task, image, kind, digest, before, since FROM task_bases WHERE task = $1`, task)
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
		_, err := tx.ExecContext(ctx, `INSERT INTO task_bases (task, image, kind, digest, before, since, counts)
			VALUES ($1, $2, $3, $4, $5, COALESCE((SELECT CASE WHEN $6 > 0 THEN $6 ELSE MAX(root, 1) END FROM image_states
				WHERE image = $2 AND digest NOT IN ('', $4, $5)), 0), $7)`,
			task, image, string(b.Kind), b.Digest, b.Before, since[image], number(t.Counts(b)))
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

// TasksToRead implements drydock.TaskImageStore.
func (s *Store) TasksToRead(ctx context.Context, before time.Time) ([]drydock.ResourceID, error) {
	var tasks []drydock.ResourceID
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		tasks, err = list(ctx, tx, func(row scanner) (drydock.ResourceID, error) {
			var id string
			if err := row.Scan(&id); err != nil {
				return drydock.ResourceID{}, err
			}
			return resourceID(id)
		}, `SELECT resources.id FROM task_images t JOIN resources ON resources.key = t.task
			WHERE (t.reading = 1 OR t.problem <> '') AND (t.reading = 1 OR t.armed < $1 AND t.learnt <= t.outdated)
			ORDER BY t.reading DESC, t.armed, t.task`, nanos(before))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("finding the tasks to be read: %w", err)
	}
	return tasks, nil
}

// AddOutput implements drydock.TaskImageStore.
func (s *Store) AddOutput(ctx context.Context, task drydock.ResourceID, image drydock.ImageName) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := resource(ctx, tx, task); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO task_outputs (task, image)
			SELECT t.task, $2 FROM task_images t WHERE t.task = $1 ON CONFLICT (task, image) DO NOTHING`, task.Key(), image.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("storing that task %s pushes %s: %w", task.Name(), image, err)
	}
	return nil
}

// Producers implements drydock.TaskGraph.
func (s *Store) Producers(ctx context.Context, images ...drydock.ImageName) (map[drydock.ImageName][]drydock.ResourceID, error) {
	producers := map[drydock.ImageName][]drydock.ResourceID{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		return inParts(imageTexts(images), func(c *conditions, part []string) error {
			in(c, "o.image", part)
			_, err := list(ctx, tx, func(row scanner) (struct{}, error) {
				task, image, err := scanOutput(row)
				if err != nil {
					return struct{}{}, err
				}
				id, err := resourceID(task)
				producers[image] = append(producers[image], id)
				return struct{}{}, err
			}, `SELECT resources.id, o.image FROM task_outputs o JOIN resources ON resources.key = o.task`+c.where()+
				` ORDER BY o.image, o.task`, c.args...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("finding the tasks that push images: %w", err)
	}
	return producers, nil
}

// Foundations implements drydock.TaskGraph.
func (s *Store) Foundations(ctx context.Context, tasks ...drydock.ResourceID) ([]drydock.Foundation, error) {
	var all []drydock.Foundation
	err := s.read(ctx, func(tx *sql.Tx) error {
		return inParts(taskKeys(tasks), func(c *conditions, part []string) error {
			in(c, "b.task", part)
			found, err := list(ctx, tx, scanFoundation, `SELECT a.id, u.id, MAX(b.counts)
				FROM task_bases b JOIN task_outputs o ON o.image = b.image
				JOIN resources a ON a.key = b.task JOIN resources u ON u.key = o.task`+
				c.where()+` GROUP BY b.task, o.task ORDER BY b.task, o.task`, c.args...)
			all = append(all, found...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("finding what tasks are built on: %w", err)
	}
	return all, nil
}

func scanFoundation(row scanner) (drydock.Foundation, error) {
	var (
		f        drydock.Foundation
		task, on string
		counts   int
	)
	err := row.Scan(&task, &on, &counts)
	if err != nil {
		return f, err
	}
	if f.Task, err = resourceID(task); err != nil {
		return f, err
	}
	f.On, err = resourceID(on)
	f.Counts = counts != 0
	return f, err
}

func imageTexts(images []drydock.ImageName) []string {
	texts := make([]string, len(images))
	for i, image := range images {
		texts[i] = image.String()
	}
	return texts
}

// partSize is how many values one statement gets at most.
const partSize = 400

// inParts calls f with the values, a part at a time.
func inParts(values []string, f func(c *conditions, part []string) error) error {
	for len(values) > 0 {
		n := min(partSize, len(values))
		if err := f(&conditions{}, values[:n]); err != nil {
			return err
		}
		values = values[n:]
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
	if err := row.Scan(&task, &image, &b.Kind, &b.Digest, &b.Before, &b.Since); err != nil {
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
