package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

const selectSourceWatch = `SELECT id, task, name, repository, commits, pulls, state, provider, hook, secrets, problem, failure,
	seen, changes, due, failures, looked, delivered, missed, rearm, version FROM source_watches`

// PutSourceWatch implements drydock.SourceWatchStore.
func (s *Store) PutSourceWatch(ctx context.Context, w drydock.SourceWatch) (drydock.SourceWatch, error) {
	err := s.write(ctx, func(tx *sql.Tx) error {
		values := []any{
			w.ID, idText(w.Task), idKey(w.Task), w.Trigger, w.Repository, number(w.Commit), number(w.Pull),
			string(w.State), w.Provider, w.Hook, w.Secrets, w.Problem, w.Failure, w.Seen, w.Changes, nanos(w.Due), w.Failures,
			nanos(w.Looked), nanos(w.Delivered), nanos(w.Missed), nanos(w.Rearm), w.Version,
		}
		query := `UPDATE source_watches SET task = $2, task_key = $3, name = $4, repository = $5, commits = $6, pulls = $7,
				state = $8, provider = $9, hook = $10, secrets = $11, problem = $12, failure = $13, seen = $14, changes = $15, due = $16,
				failures = $17, looked = $18, delivered = $19, missed = $20, rearm = $21, version = $22 + 1
			WHERE id = $1 AND version = $22`
		if w.Version == 0 {
			query = `INSERT INTO source_watches (id, task, task_key, name, repository, commits, pulls, state, provider, hook,
					secrets, problem, failure, seen, changes, due, failures, looked, delivered, missed, rearm, version)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22 + 1)
				ON CONFLICT (id) DO NOTHING`
		}
		written, err := affectsOne(ctx, tx, query, values...)
		if err == nil && !written {
			return drydock.Errorf(drydock.Conflict, "the watch was changed meanwhile")
		}
		return err
	})
	if err != nil {
		return w, fmt.Errorf("storing the watch of the source trigger %q: %w", w.Trigger, err)
	}
	w.Version++
	return w, nil
}

// SourceWatch implements drydock.SourceWatchStore.
func (s *Store) SourceWatch(ctx context.Context, id string) (drydock.SourceWatch, error) {
	var w drydock.SourceWatch
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		w, err = scanSourceWatch(tx.QueryRowContext(ctx, selectSourceWatch+` WHERE id = $1`, id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return w, drydock.Errorf(drydock.NotFound, "there is no such watch")
	}
	if err != nil {
		return w, fmt.Errorf("reading a watch: %w", err)
	}
	return w, nil
}

// SourceWatches implements drydock.SourceWatchStore.
func (s *Store) SourceWatches(ctx context.Context, below drydock.ResourceID) ([]drydock.SourceWatch, error) {
	var c conditions
	c.below("task_key", below, true)
	return s.sourceWatches(ctx, selectSourceWatch+c.where()+` ORDER BY task_key, name, id`, c.args...)
}

// FirstSourceWatches implements drydock.SourceWatchStore.
func (s *Store) FirstSourceWatches(ctx context.Context, limit int) ([]drydock.SourceWatch, error) {
	return s.sourceWatches(ctx, selectSourceWatch+` ORDER BY due, id LIMIT $1`, limit)
}

// DeleteSourceWatch implements drydock.SourceWatchStore.
func (s *Store) DeleteSourceWatch(ctx context.Context, id string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		there, err := affectsOne(ctx, tx, `DELETE FROM source_watches WHERE id = $1`, id)
		if err == nil && !there {
			return drydock.Errorf(drydock.NotFound, "there is no such watch")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting a watch: %w", err)
	}
	return nil
}

func (s *Store) sourceWatches(ctx context.Context, query string, args ...any) ([]drydock.SourceWatch, error) {
	var found []drydock.SourceWatch
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanSourceWatch, query, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading watches: %w", err)
	}
	return found, nil
}

func scanSourceWatch(row scanner) (drydock.SourceWatch, error) {
	var (
		w                                     drydock.SourceWatch
		task                                  string
		commits, pulls                        int
		due, looked, delivered, missed, rearm int64
	)
	err := row.Scan(&w.ID, &task, &w.Trigger, &w.Repository, &commits, &pulls, &w.State, &w.Provider, &w.Hook, &w.Secrets,
		&w.Problem, &w.Failure, &w.Seen, &w.Changes, &due, &w.Failures, &looked, &delivered, &missed, &rearm, &w.Version)
	if err != nil {
		return drydock.SourceWatch{}, err
	}
	w.Commit, w.Pull = commits != 0, pulls != 0
	w.Due, w.Looked, w.Delivered = fromNanos(due), fromNanos(looked), fromNanos(delivered)
	w.Missed, w.Rearm = fromNanos(missed), fromNanos(rearm)
	w.Task, err = resourceID(task)
	return w, err
}
