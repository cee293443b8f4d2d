package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/drydockhq/drydock"
)

const selectTimer = `SELECT resources.id, timers.name, timers.schedule, timers.since, timers.next
	FROM timers JOIN resources ON resources.key = timers.task`

// PutTimer implements drydock.TimerStore.
func (s *Store) PutTimer(ctx context.Context, t drydock.Timer) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO timers (task, name, schedule, since, next) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (task, name) DO UPDATE
			SET schedule = excluded.schedule, since = excluded.since, next = excluded.next`,
			t.Task.Key(), t.Name, t.Schedule, nanos(t.Since), nanos(t.Next))
		if breaksForeignKey(err) {
			return drydock.Errorf(drydock.NotFound, "there is no task %s", t.Task)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the timer %q: %w", t.Name, err)
	}
	return nil
}

// DeleteTimer implements drydock.TimerStore.
func (s *Store) DeleteTimer(ctx context.Context, task drydock.ResourceID, name string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM timers WHERE task = $1 AND name = $2`, task.Key(), name)
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting the timer %q: %w", name, err)
	}
	return nil
}

// Timers implements drydock.TimerStore.
func (s *Store) Timers(ctx context.Context, below drydock.ResourceID) ([]drydock.Timer, error) {
	var c conditions
	c.below("timers.task", below, true)
	return s.timers(ctx, selectTimer+c.where()+` ORDER BY timers.task, timers.name`, c.args...)
}

// FirstTimers implements drydock.TimerStore.
func (s *Store) FirstTimers(ctx context.Context, limit int) ([]drydock.Timer, error) {
	return s.timers(ctx, selectTimer+` ORDER BY timers.next, timers.task, timers.name LIMIT $1`, limit)
}

func (s *Store) timers(ctx context.Context, query string, args ...any) ([]drydock.Timer, error) {
	var found []drydock.Timer
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanTimer, query, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading timers: %w", err)
	}
	return found, nil
}

func scanTimer(row scanner) (drydock.Timer, error) {
	var (
		t           drydock.Timer
		task        string
		since, next int64
	)
	if err := row.Scan(&task, &t.Name, &t.Schedule, &since, &next); err != nil {
		return drydock.Timer{}, err
	}
	t.Since, t.Next = fromNanos(since), fromNanos(next)
	var err error
	t.Task, err = resourceID(task)
	return t, err
}
