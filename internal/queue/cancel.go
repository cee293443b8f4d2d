package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

// Cancel ends a run that is queued, or asks whoever has it to stop: at once in
// this server, with its next heartbeat in another one. A run that has ended is
// an error with code Conflict.
func (q *Queue) Cancel(ctx context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error) {
	r, err := q.cfg.Runs.UpdateRun(ctx, registry, id, func(r *drydock.RunRecord) error {
		if r.Status.Ended() {
			return drydock.Errorf(drydock.Conflict, "run %s has ended: %s", r.ID, r.Status)
		}
		now := q.cfg.Now()
		r.CancelRequested, r.Updated = true, now
		if r.Status == drydock.RunQueued && Allowed(r.Status, drydock.RunCanceled) {
			r.Status, r.Finished = drydock.RunCanceled, now
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.Status.Ended() {
		q.backlog.remove(entryOf(r))
	} else if c := q.held[keyOf(r)]; c != nil {
		c.cancel(ErrCancelRequested)
	}
	return r, nil
}

// errUnwanted says that a run that waits is to be cancelled.
var errUnwanted = errors.New("the run is to be cancelled")

// withdraw ends runs that wait and are to be cancelled: whoever asked for it only
// got to note that, as one does who stores it with something else.
func (q *Queue) withdraw(ctx context.Context, entries ...entry) error {
	for _, e := range entries {
		r, err := q.Cancel(ctx, e.registry, e.id)
		switch drydock.CodeOf(err) {
		case "":
		case drydock.Conflict, drydock.NotFound:
			continue // it has ended
		default:
			return fmt.Errorf("cancelling run %s: %w", e.id, err)
		}
		if r.Status.Ended() {
			q.cfg.Recovered(ctx, r, "it was cancelled while it waited")
		}
	}
	return nil
}
