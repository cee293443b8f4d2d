package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// Run implements drydock.RunStore.
func (s *Store) Run(ctx context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error) {
	var r drydock.RunRecord
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		r, err = run(ctx, tx, registry, id)
		return err
	})
	return r, err
}

// Runs implements drydock.RunStore.
func (s *Store) Runs(ctx context.Context, f drydock.RunFilter) ([]drydock.RunRecord, error) {
	query, args := selectRuns(f)
	var found []drydock.RunRecord
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanRun, query, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	return found, nil
}

// UpdateRun implements drydock.RunStore.
func (s *Store) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (drydock.RunRecord, error) {
	var r drydock.RunRecord
	err := s.write(ctx, func(tx *sql.Tx) error {
		old, err := run(ctx, tx, registry, id)
		if err != nil {
			return err
		}
		r = old
		if err := change(&r); err != nil {
			return err
		}
		r.Registry, r.ID, r.Number = old.Registry, old.ID, old.Number
		if err := updateRun(ctx, tx, r); err != nil || old.Status.Ended() || !r.Status.Ended() {
			return err
		}
		return s.runEnded(ctx, tx, r)
	})
	if err != nil {
		return drydock.RunRecord{}, err
	}
	return r, nil
}

// runEnded writes the event of a run that has just ended.
func (s *Store) runEnded(ctx context.Context, tx *sql.Tx, r drydock.RunRecord) error {
	data, err := json.Marshal(drydock.RunEvent{Run: r.ID, Task: r.Task, Status: r.Status})
	if err != nil {
		return err
	}
	_, err = s.appendEvent(ctx, tx, drydock.Event{
		// A registry that is made anew numbers its runs anew.
		ID:   fmt.Sprintf("%s %s %s %d", drydock.RunEndedEvent, r.Registry.Key(), r.ID, nanos(r.Created)),
		Kind: drydock.RunEndedEvent, Subject: r.Registry, Data: data, Time: r.Finished,
	})
	return err
}

// DeleteRuns implements drydock.RunStore.
func (s *Store) DeleteRuns(ctx context.Context, before time.Time, limit int) ([]drydock.RunRecord, error) {
	var deleted []drydock.RunRecord
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		query, args := selectOldRuns(before, limit)
		if deleted, err = list(ctx, tx, scanRun, query, args...); err != nil {
			return err
		}
		for _, r := range deleted {
			if _, err := tx.ExecContext(ctx, `DELETE FROM runs WHERE registry = $1 AND number = $2`, r.Registry.Key(), r.Number); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("deleting old runs: %w", err)
	}
	return deleted, nil
}

func run(ctx context.Context, tx *sql.Tx, registry drydock.ResourceID, id string) (drydock.RunRecord, error) {
	query := selectRun + ` WHERE runs.registry = $1 AND runs.id = $2`
	r, err := scanRun(tx.QueryRowContext(ctx, query, registry.Key(), strings.ToLower(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return r, drydock.Errorf(drydock.NotFound, "there is no run %q in registry %s", id, registry.Name())
	}
	if err != nil {
		return r, fmt.Errorf("reading run %s: %w", id, err)
	}
	return r, nil
}

func updateRun(ctx context.Context, tx *sql.Tx, r drydock.RunRecord) error {
	_, err := tx.ExecContext(ctx, `UPDATE runs SET
			status = $3, type = $4, task = $5, task_key = $6, pool = $7, pool_key = $8, request = $9,
			secrets = $10, cause = $11, result = $12, outputs = $13, created = $14, started = $15,
			finished = $16, updated = $17, archived = $18, cancel_requested = $19, attempts = $20,
			owner = $21, lease_until = $22, root = $23, after_event = $24, batch = $25, altered = $26
		WHERE registry = $1 AND number = $2`,
		append([]any{r.Registry.Key(), r.Number}, runValues(r)...)...)
	return err
}

// runValues are the values of all columns from status on.
func runValues(r drydock.RunRecord) []any {
	return []any{
		string(r.Status), string(r.Type), r.Task, strings.ToLower(r.Task), r.Pool, strings.ToLower(r.Pool),
		r.Request, r.Secrets, r.Trigger, r.Result, outputs(r.Result),
		nanos(r.Created), nanos(r.Started), nanos(r.Finished), nanos(r.Updated),
		number(r.Archived), number(r.CancelRequested), r.Attempts, r.Owner, nanos(r.LeaseUntil),
		r.Root, r.After, r.Batch, number(r.Altered),
	}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func scanRun(row scanner) (drydock.RunRecord, error) {
	var (
		r                                        drydock.RunRecord
		registry                                 string
		created, started, finished, updated, due int64
		archived, cancelRequested, altered       int
	)
	err := row.Scan(&registry, &r.Number, &r.ID, &r.Status, &r.Type, &r.Task, &r.Pool,
		&created, &started, &finished, &updated, &archived, &cancelRequested, &r.Attempts, &r.Owner, &due,
		&r.Root, &r.After, &r.Batch, &altered,
		&r.Request, &r.Secrets, &r.Trigger, &r.Result)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	r.Created, r.Started, r.Finished = fromNanos(created), fromNanos(started), fromNanos(finished)
	r.Updated, r.LeaseUntil = fromNanos(updated), fromNanos(due)
	r.Archived, r.CancelRequested, r.Altered = archived != 0, cancelRequested != 0, altered != 0
	r.Registry, err = resourceID(registry)
	return r, err
}
