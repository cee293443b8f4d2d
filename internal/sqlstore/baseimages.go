package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
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
	}, `SELECT b.task, b.image, b.kind, b.digest, b.before, b.built, b.since FROM task_images t JOIN task_bases b ON b.task = t.task`+
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
