package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

// errAlive says that a run turned out not to be left.
var errAlive = errors.New("somebody has the run")

// recover queues the runs again whose server is gone, or ends those that were
// to be cancelled or were queued again too often.
func (q *Queue) recover(ctx context.Context) error {
	found, err := q.active(ctx)
	if err != nil {
		return fmt.Errorf("looking for runs that were left: %w", err)
	}
	for _, r := range found {
		if err := q.rescue(ctx, r); err != nil {
			return fmt.Errorf("recovering run %s: %w", r.ID, err)
		}
	}
	return nil
}

// left reports whether nobody carries the run out that the store says somebody
// has.
func (q *Queue) left(r drydock.RunRecord) bool {
	if r.Owner == q.cfg.Owner {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.held[keyOf(r)] == nil
	}
	return q.cfg.Alone || r.LeaseUntil.Before(q.cfg.Now())
}

func (q *Queue) rescue(ctx context.Context, seen drydock.RunRecord) error {
	if !q.left(seen) {
		return nil
	}
	to, reason := q.fate(seen)
	r, err := Transition(ctx, q.cfg.Runs, seen.Registry, seen.ID, seen.Status, to, func(r *drydock.RunRecord) error {
		// It may have been renewed, or claimed again, since it was seen.
		if r.Owner != seen.Owner || !r.LeaseUntil.Equal(seen.LeaseUntil) || !q.left(*r) {
			return errAlive
		}
		r.Owner, r.LeaseUntil, r.Updated = "", time.Time{}, q.cfg.Now()
		if to.Ended() {
			r.Finished = r.Updated
		}
		if to == drydock.RunFailed {
			var err error
			r.Result, err = json.Marshal(map[string]string{"runErrorMessage": reason})
			return err
		}
		return nil
	})
	switch code := drydock.CodeOf(err); {
	case errors.Is(err, errAlive), code == drydock.Conflict, code == drydock.NotFound:
		return nil
	case err != nil:
		return err
	}
	if to == drydock.RunQueued {
		q.mu.Lock()
		q.enlist(entryOf(r))
		q.mu.Unlock()
	}
	q.cfg.Recovered(ctx, r, reason)
	return nil
}

// fate says what becomes of a run that was left, and why.
func (q *Queue) fate(r drydock.RunRecord) (drydock.RunStatus, string) {
	switch {
	case r.CancelRequested:
		return drydock.RunCanceled, "the run was cancelled, and the server that had it is gone"
	case r.Attempts > q.cfg.Requeues:
		return drydock.RunFailed, fmt.Sprintf("the server that had the run was gone before it ended, %d times", r.Attempts)
	}
	return drydock.RunQueued, fmt.Sprintf("the server that had the run is gone; it is queued again, for attempt %d of %d", r.Attempts+1, q.cfg.Requeues+1)
}
