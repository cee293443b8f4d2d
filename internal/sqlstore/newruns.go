package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/drydockhq/drydock"
)

// CreateRun implements drydock.RunStore.
func (s *Store) CreateRun(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error) {
	created, err := s.CreateRuns(ctx, []drydock.RunRecord{r})
	if err != nil {
		return drydock.RunRecord{}, err
	}
	return created[0], nil
}

// CreateRuns implements drydock.RunStore.
func (s *Store) CreateRuns(ctx context.Context, runs []drydock.RunRecord) ([]drydock.RunRecord, error) {
	created := make([]drydock.RunRecord, len(runs))
	err := s.write(ctx, func(tx *sql.Tx) error {
		copy(created, runs)
		if err := numberRuns(ctx, tx, created); err != nil {
			return err
		}
		if err := insertRuns(ctx, tx, created); err != nil {
			return err
		}
		var tasks []string
		for _, r := range created {
			if r.Task != "" && !r.Altered {
				tasks = append(tasks, r.Registry.Child("tasks", r.Task).Key())
			}
		}
		return settle(ctx, tx, tasks)
	})
	switch {
	case err != nil && len(runs) == 1:
		return nil, fmt.Errorf("storing a run: %w", err)
	case err != nil:
		return nil, fmt.Errorf("storing %d runs: %w", len(runs), err)
	}
	return created, nil
}

// numberRuns gives new runs the next numbers of their registries, and what else
// the store sets.
func numberRuns(ctx context.Context, tx *sql.Tx, runs []drydock.RunRecord) error {
	count := map[string]int64{}
	for _, r := range runs {
		count[r.Registry.Key()]++
	}
	registries := map[string]drydock.ResourceID{}
	last := map[string]int64{}
	var event int64 // the last
	if err := tx.QueryRowContext(ctx, `SELECT last FROM event_numbers`).Scan(&event); err != nil {
		return err
	}
	for i := range runs {
		r := &runs[i]
		key := r.Registry.Key()
		if _, there := registries[key]; !there {
			registry, err := resource(ctx, tx, r.Registry)
			if err != nil {
				return err
			}
			registries[key] = registry.ID
			var end int64
			err = tx.QueryRowContext(ctx, `INSERT INTO run_numbers (registry, last) VALUES ($1, $2)
				ON CONFLICT (registry) DO UPDATE SET last = run_numbers.last + excluded.last RETURNING last`,
				key, count[key]).Scan(&end)
			if err != nil {
				return err
			}
			last[key] = end - count[key]
		}
		last[key]++
		r.Registry, r.Number, r.ID, r.Status = registries[key], last[key], drydock.RunID(last[key]), drydock.RunQueued
		if r.After = event; r.Root == 0 {
			r.Root = event + 1
		}
	}
	return nil
}

func insertRuns(ctx context.Context, tx *sql.Tx, runs []drydock.RunRecord) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO runs (registry, number, id,
			status, type, task, task_key, pool, pool_key, request, secrets, cause, result, outputs,
			created, started, finished, updated, archived, cancel_requested, attempts, owner, lease_until,
			root, after_event, batch, altered)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
			$24, $25, $26, $27)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range runs {
		if _, err := insert.ExecContext(ctx, append([]any{r.Registry.Key(), r.Number, r.ID}, runValues(r)...)...); err != nil {
			return err
		}
	}
	return nil
}
