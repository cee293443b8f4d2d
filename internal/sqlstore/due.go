package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

// selectDue reads the index of what is due, so its time goes with that and not
// with the number of tasks.
const selectDue = `SELECT resources.id, t.ended, ` + newestRun + `,
		b.image, b.kind, b.digest, b.before, b.since
	FROM task_bases b
	JOIN task_images t ON t.task = b.task
	JOIN resources ON resources.key = b.task`

// newestRun is the number of the newest run of a task that isn't altered. It
// doesn't read the older ones.
const newestRun = `COALESCE((SELECT r.number FROM runs r
	WHERE r.registry = t.registry AND r.task_key = t.name AND r.altered = 0 ORDER BY r.number DESC LIMIT 1), 0)`

// DueTasks implements drydock.DueStore.
func (s *Store) DueTasks(ctx context.Context, tasks ...drydock.ResourceID) ([]drydock.DueTask, error) {
	d := &dueReader{states: map[string]*drydock.ImageState{}, at: map[string]int{}}
	err := s.read(ctx, func(tx *sql.Tx) error {
		if len(tasks) == 0 {
			c := &conditions{}
			c.add("b.since > 0 AND b.counts = 1")
			return d.read(ctx, tx, c)
		}
		return inParts(taskKeys(tasks), func(c *conditions, part []string) error {
			in(c, "b.task", part)
			c.add("+b.since > 0 AND +b.counts = 1") // not by the index of all that is due
			return d.read(ctx, tx, c)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("finding the tasks that are due: %w", err)
	}
	return d.due, nil
}

// StillDue implements drydock.DueStore.
func (s *Store) StillDue(ctx context.Context, tasks ...drydock.DueTask) ([]bool, error) {
	at := make(map[string][]int, len(tasks)) // one may be named more than once
	keys := make([]string, len(tasks))
	for i, t := range tasks {
		keys[i] = t.Task.Key()
		at[keys[i]] = append(at[keys[i]], i)
	}
	still := make([]bool, len(tasks))
	err := s.read(ctx, func(tx *sql.Tx) error {
		return inParts(keys, func(c *conditions, part []string) error {
			in(c, "b.task", part)
			c.add("+b.since > 0 AND +b.counts = 1") // not by the index of all that is due
			_, err := list(ctx, tx, func(row scanner) (struct{}, error) {
				var key string
				var newest int64
				err := row.Scan(&key, &newest)
				for _, i := range at[key] {
					still[i] = newest == tasks[i].Newest
				}
				return struct{}{}, err
			}, `SELECT b.task, `+newestRun+` FROM task_bases b JOIN task_images t ON t.task = b.task`+c.where()+` GROUP BY b.task`, c.args...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("looking whether tasks are still due: %w", err)
	}
	return still, nil
}

// dueReader collects what is due.
type dueReader struct {
	due    []drydock.DueTask
	at     map[string]int // where each task is in due
	states map[string]*drydock.ImageState
}

func (d *dueReader) read(ctx context.Context, tx *sql.Tx, c *conditions) error {
	rows, err := list(ctx, tx, scanDue, selectDue+c.where()+` ORDER BY b.since, b.task, b.image`, c.args...)
	if err != nil {
		return err
	}
	for _, row := range rows {
		state, err := d.state(ctx, tx, row.image)
		if err != nil {
			return err
		}
		if state.Digest == "" || state.Digest == row.base.Digest || state.Digest == row.base.Before {
			continue
		}
		i, there := d.at[row.task]
		if !there {
			i = len(d.due)
			id, err := resourceID(row.task)
			if err != nil {
				return err
			}
			d.at[row.task] = i
			d.due = append(d.due, drydock.DueTask{Task: id, Ended: row.ended, Newest: row.newest})
		}
		row.base.Image = state.Image
		d.due[i].Images = append(d.due[i].Images, drydock.DueImage{Base: row.base, Now: *state})
	}
	return nil
}

// state reads what a tag points at, once for all tasks.
func (d *dueReader) state(ctx context.Context, tx *sql.Tx, image string) (*drydock.ImageState, error) {
	if state := d.states[image]; state != nil {
		return state, nil
	}
	state, err := scanImageState(tx.QueryRowContext(ctx, selectImageState+` WHERE s.image = $1`, image))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	d.states[image] = &state
	return &state, nil
}

// dueRow is a task that is due by an image.
type dueRow struct {
	task, image   string
	ended, newest int64
	base          drydock.BaseImage
}

func scanDue(row scanner) (r dueRow, err error) {
	err = row.Scan(&r.task, &r.ended, &r.newest, &r.image, &r.base.Kind, &r.base.Digest, &r.base.Before, &r.base.Since)
	return r, err
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
const countsNow = `(SELECT t.paused = 0 AND t.reading = 0 AND instr(task_bases.image, '@') = 0 AND
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
