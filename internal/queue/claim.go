package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

// Why the context of a claim ends.
var (
	// ErrCancelRequested: somebody wants the run cancelled.
	ErrCancelRequested = errors.New("a client has asked for it")
	// ErrLost: another server may have the run now. Nothing that its holder does
	// from here on counts.
	ErrLost = errors.New("the run was lost to another server, or deleted")
)

// Claim is a run in somebody's hands, with a slot of its pool. It ends with
// Finish or Release. Its methods are for one goroutine at a time.
type Claim struct {
	// Run is the run as the claim left it in the store.
	Run drydock.RunRecord

	queue  *Queue
	entry  entry
	ctx    context.Context
	cancel context.CancelCauseFunc

	// Under queue.mu:
	taken   bool      // the store has given it to us
	leaving bool      // it is being given up
	renewed time.Time // monotonic
}

// Context ends with a cause, ErrCancelRequested, ErrLost or ErrClosed, when the
// work on the run has to stop. It has the values of the context of Claim, and
// does not end with that one.
func (c *Claim) Context() context.Context { return c.ctx }

// Claim waits until a run and a slot of its pool are there, takes the run to
// Started, and returns it, leased until Finish or Release.
func (q *Queue) Claim(ctx context.Context) (*Claim, error) {
	for {
		c, changed, err := q.next(ctx)
		if err != nil {
			return nil, err
		}
		if c == nil {
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-changed:
				continue
			}
		}
		ok, err := q.take(ctx, c)
		if err != nil {
			return nil, err
		}
		if ok {
			return c, nil
		}
	}
}

// next picks a run that the store still has to give to us, or returns what is
// closed when it is worth to look again.
func (q *Queue) next(ctx context.Context) (*Claim, <-chan struct{}, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, ErrClosed
	}
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	e, ok := q.backlog.pick()
	if !ok {
		return nil, q.changed, nil
	}
	c := &Claim{queue: q, entry: e}
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	q.held[e.key()] = c
	return c, nil, nil
}

// take takes the run to Started, and reports false if somebody else has been
// faster, or if it is to be cancelled.
func (q *Queue) take(ctx context.Context, c *Claim) (bool, error) {
	renewed := time.Now()
	r, err := Transition(ctx, q.cfg.Runs, c.entry.registry, c.entry.id, drydock.RunQueued, drydock.RunStarted,
		func(r *drydock.RunRecord) error {
			if r.CancelRequested {
				return errUnwanted
			}
			now := q.cfg.Now()
			r.Owner, r.LeaseUntil = q.cfg.Owner, now.Add(q.cfg.Lease)
			r.Started, r.Updated = now, now
			r.Attempts++
			return nil
		})
	if errors.Is(err, errUnwanted) {
		err := q.withdraw(ctx, c.entry)
		q.drop(c, err != nil)
		return false, err
	}
	switch drydock.CodeOf(err) {
	case "":
		q.mu.Lock()
		defer q.mu.Unlock()
		c.Run, c.taken, c.renewed = r, true, renewed
		return true, nil
	case drydock.Conflict, drydock.NotFound:
		q.drop(c, false)
		return false, nil
	}
	q.drop(c, true)
	return false, fmt.Errorf("claiming run %s: %w", c.entry.id, err)
}

// drop forgets a claim that the store did not give to us, as far as we know.
func (q *Queue) drop(c *Claim, unsure bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(c)
	if unsure {
		q.unsure = true
		q.enlist(c.entry)
	}
}

// forget gives the slot of a claim back. q.mu is held.
func (q *Queue) forget(c *Claim) {
	delete(q.held, c.entry.key())
	q.backlog.free(c.entry)
	c.cancel(ErrLost)
	q.wake()
}
