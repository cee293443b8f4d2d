package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/drydockhq/drydock"
)

// selectDue reads the index of what is due, so its time goes with that and not
// with the number of tasks.
const selectDue = `SELECT resources.id, t.ended,
		COALESCE((SELECT MAX(r.number) FROM runs r WHERE r.registry = t.registry AND r.task_key = t.name AND r.altered = 0), 0),
		b.kind, b.digest, b.since, s.image, s.digest, s.previous, s.event, s.changed, s.root, s.run
	FROM task_bases b
	JOIN image_states s ON s.image = b.image
	JOIN task_images t ON t.task = b.task
	JOIN resources ON resources.key = b.task`

// DueTasks implements drydock.DueStore.
func (s *Store) DueTasks(ctx context.Context, tasks ...drydock.ResourceID) ([]drydock.DueTask, error) {
	var due []drydock.DueTask
	at := map[string]int{}
	collect := func(tx *sql.Tx, c *conditions) error {
		c.add("b.since > 0 AND b.counts = 1 AND s.digest NOT IN ('', b.digest, b.before)")
		_, err := list(ctx, tx, func(row scanner) (struct{}, error) {
			task, err := scanDue(row)
			if err != nil {
				return struct{}{}, err
			}
			key := task.Task.Key()
			if i, there := at[key]; there {
				due[i].Images = append(due[i].Images, task.Images...)
				return struct{}{}, nil
			}
			at[key] = len(due)
			due = append(due, task)
			return struct{}{}, nil
		}, selectDue+c.where()+` ORDER BY b.since, b.task, b.image`, c.args...)
		return err
	}
	err := s.read(ctx, func(tx *sql.Tx) error {
		if len(tasks) == 0 {
			return collect(tx, &conditions{})
		}
		return inParts(taskKeys(tasks), func(c *conditions, part []string) error {
			in(c, "b.task", part)
			return collect(tx, c)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("finding the tasks that are due: %w", err)
	}
	return due, nil
}

// Settle implements drydock.DueStore.
func (s *Store) Settle(ctx context.Context, tasks ...drydock.ResourceID) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return settle(ctx, tx, taskKeys(tasks)) })
	if err != nil {
		return fmt.Errorf("settling tasks: %w", err)
	}
	return nil
}

// SettleImages implements drydock.DueStore.
func (s *Store) SettleImages(ctx context.Context, task drydock.ResourceID, images ...drydock.ImageName) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		return inParts(imageTexts(images), func(c *conditions, part []string) error {
			c.add("task = ?", task.Key())
			in(c, "image", part)
			return settleWhere(ctx, tx, c)
		})
	})
	if err != nil {
		return fmt.Errorf("settling task %s: %w", task.Name(), err)
	}
	return nil
}

// PauseTasks implements drydock.DueStore.
func (s *Store) PauseTasks(ctx context.Context, registry drydock.ResourceID, paused bool) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		changed, err := affectsOne(ctx, tx, `UPDATE task_images SET paused = $2 WHERE registry = $1 AND paused <> $2`,
			registry.Key(), number(paused))
		if err != nil || !changed {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE task_bases SET counts = `+countsNow+`
			WHERE task IN (SELECT t.task FROM task_images t WHERE t.registry = $1)`, registry.Key())
		return err
	})
	if err != nil {
		return fmt.Errorf("pausing the tasks of %s: %w", registry.Name(), err)
	}
	return nil
}

// countsNow is drydock.TaskImages.Counts of a row of task_bases.
const countsNow = `(SELECT t.paused = 0 AND instr(task_bases.image, '@') = 0 AND
	(t.base_trigger = 'All' OR t.base_trigger = 'Runtime' AND task_bases.kind = 'Runtime')
	FROM task_images t WHERE t.task = task_bases.task)`

// settle says that tasks are going to stand on what their tags point at.
func settle(ctx context.Context, tx *sql.Tx, tasks []string) error {
	return inParts(tasks, func(c *conditions, part []string) error {
		in(c, "task", part)
		return settleWhere(ctx, tx, c)
	})
}

func settleWhere(ctx context.Context, tx *sql.Tx, c *conditions) error {
	c.add("(since > 0 OR before <> '')")
	_, err := tx.ExecContext(ctx, `UPDATE task_bases SET since = 0, before = '',
		digest = COALESCE((SELECT s.digest FROM image_states s WHERE s.image = task_bases.image AND s.digest <> ''), digest)`+
		c.where(), c.args...)
	return err
}

func taskKeys(tasks []drydock.ResourceID) []string {
	keys := make([]string, len(tasks))
	for i, task := range tasks {
		keys[i] = task.Key()
	}
	return keys
}

func scanDue(row scanner) (drydock.DueTask, error) {
	var (
		t              drydock.DueTask
		i              drydock.DueImage
		id, image, run string
		changed        int64
	)
	err := row.Scan(&id, &t.Ended, &t.Newest, &i.Base.Kind, &i.Base.Digest, &i.Base.Since,
		&image, &i.Now.Digest, &i.Now.Previous, &i.Now.Event, &changed, &i.Now.Root, &run)
	if err != nil {
		return t, err
	}
	i.Now.Changed = fromNanos(changed)
	if t.Task, err = resourceID(id); err != nil {
		return t, err
	}
	if i.Now.Run, err = resourceID(run); err != nil {
		return t, err
	}
	i.Now.Image, err = drydock.ParseImageName(image)
	i.Base.Image = i.Now.Image
	t.Images = []drydock.DueImage{i}
	return t, err
}
