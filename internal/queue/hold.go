package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

// Start takes the run from Started to Running.
func (c *Claim) Start(ctx context.Context) error {
	return c.move(ctx, drydock.RunRunning, func(*drydock.RunRecord) {})
}

// Update alters the run while it goes on; its state stays.
func (c *Claim) Update(ctx context.Context, change func(*drydock.RunRecord)) error {
	return c.persist(ctx, func(ctx context.Context) (drydock.RunRecord, error) {
		return c.queue.cfg.Runs.UpdateRun(ctx, c.entry.registry, c.entry.id, func(r *drydock.RunRecord) error {
			if err := c.mine(r); err != nil {
				return err
			}
			status := r.Status
			change(r)
			r.Status, r.Updated = status, c.queue.cfg.Now()
			return nil
		})
	})
}

// Finish ends the run, with what it left behind, and gives the slot back. A run
// that could not end so from where it is is Running in between. While the store
// is out of order Finish goes on trying until ctx ends; then the claim is still
// held. A run that was lost is an error with code Conflict or NotFound.
func (c *Claim) Finish(ctx context.Context, status drydock.RunStatus, result []byte) error {
	if !status.Ended() {
		return fmt.Errorf("run %s: %s is not an end", c.Run.ID, status)
	}
	if c.Run.Status == drydock.RunStarted && !Allowed(drydock.RunStarted, status) {
		if err := c.Start(ctx); err != nil {
			return errors.Join(err, c.Release(ctx))
		}
	}
	finished := c.queue.cfg.Now()
	if finished.Before(c.Run.Started) {
		finished = c.Run.Started // the clock was set back
	}
	return c.leave(ctx, status, func(r *drydock.RunRecord) {
		r.Finished, r.Result = finished, result
	})
}

// Release hands the run back to the queue, or ends it if it is to be cancelled,
// and gives the slot back. It does not count as an attempt.
func (c *Claim) Release(ctx context.Context) error {
	return c.leave(ctx, drydock.RunQueued, func(r *drydock.RunRecord) {
		r.Attempts--
		if r.CancelRequested {
			r.Status, r.Finished = drydock.RunCanceled, c.queue.cfg.Now()
		}
	})
}

// leave moves the run to a state in which nobody holds it.
func (c *Claim) leave(ctx context.Context, to drydock.RunStatus, change func(*drydock.RunRecord)) error {
	q := c.queue
	q.mu.Lock()
	if q.held[c.entry.key()] != c {
		q.mu.Unlock()
		return c.gone()
	}
	c.leaving = true
	q.mu.Unlock()
	err := c.move(ctx, to, func(r *drydock.RunRecord) {
		r.Owner, r.LeaseUntil = "", time.Time{}
		change(r)
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	code := drydock.CodeOf(err)
	if code != "" && code != drydock.Conflict && code != drydock.NotFound {
		c.leaving = false
		return err
	}
	if q.held[c.entry.key()] == c {
		q.forget(c)
	}
	if err == nil && c.Run.Status == drydock.RunQueued {
		q.enlist(c.entry)
	}
	return err
}

// move takes the run to another state.
func (c *Claim) move(ctx context.Context, to drydock.RunStatus, change func(*drydock.RunRecord)) error {
	from := c.Run.Status
	return c.persist(ctx, func(ctx context.Context) (drydock.RunRecord, error) {
		return Transition(ctx, c.queue.cfg.Runs, c.entry.registry, c.entry.id, from, to, func(r *drydock.RunRecord) error {
			if err := c.mine(r); err != nil {
				return err
			}
			r.Updated = c.queue.cfg.Now()
			change(r)
			return nil
		})
	})
}

// mine checks that this claim has the run.
func (c *Claim) mine(r *drydock.RunRecord) error {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if r.Owner != c.queue.cfg.Owner || c.queue.held[c.entry.key()] != c {
		return c.gone()
	}
	return nil
}

func (c *Claim) gone() error {
	return drydock.Errorf(drydock.Conflict, "run %s is not in these hands any more", c.entry.id)
}

// persist calls write until the store is in order again.
func (c *Claim) persist(ctx context.Context, write func(context.Context) (drydock.RunRecord, error)) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		r, err := write(ctx)
		if err == nil {
			c.Run = r
			return nil
		}
		if drydock.CodeOf(err) != drydock.Unavailable {
			return fmt.Errorf("recording run %s: %w", c.entry.id, err)
		}
		c.queue.cfg.Log.WarnContext(ctx, "recording a run, trying again", "run", c.entry.id, "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("recording run %s: %w", c.entry.id, errors.Join(err, context.Cause(ctx)))
		case <-time.After(pause):
		}
	}
}
