package queue

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
)

// work is the background work: heartbeats, and a slow look for what nobody told
// us of.
func (q *Queue) work(ctx context.Context) {
	beat, poll := time.NewTicker(q.cfg.Beat), time.NewTicker(q.cfg.Poll)
	defer beat.Stop()
	defer poll.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			err = q.beat(ctx)
		case <-poll.C:
			err = q.look(ctx)
		}
		if err != nil && ctx.Err() == nil {
			q.cfg.Log.WarnContext(ctx, "looking after runs, trying again", "error", err)
		}
	}
}

// look finds what other servers queued or left.
func (q *Queue) look(ctx context.Context) error {
	q.mu.Lock()
	needed := !q.cfg.Alone || q.unsure
	q.unsure = false
	q.mu.Unlock()
	if needed {
		if err := q.recover(ctx); err != nil {
			q.mu.Lock()
			q.unsure = true
			q.mu.Unlock()
			return err
		}
	}
	return q.load(ctx)
}

// beat keeps the leases of the runs that are held, and sees who of them is to
// stop.
func (q *Queue) beat(ctx context.Context) error {
	held := q.holding()
	if len(held) == 0 {
		return nil
	}
	stored, err := q.active(ctx)
	for _, c := range held {
		r, ok := stored[c.entry.key()]
		switch {
		case err == nil && (!ok || r.Owner != q.cfg.Owner):
			q.lose(c)
		case err == nil && r.CancelRequested:
			c.cancel(ErrCancelRequested)
		}
		if q.age(c) > q.cfg.Lease/3 {
			q.renew(ctx, c)
		}
		if q.age(c) > q.cfg.Lease && !q.cfg.Alone {
			q.lose(c)
		}
	}
	return err
}

// holding returns the claims that the store has given to us.
func (q *Queue) holding() []*Claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	var held []*Claim
	for _, c := range q.held {
		if c.taken && !c.leaving {
			held = append(held, c)
		}
	}
	return held
}

// active returns the runs that somebody has.
func (q *Queue) active(ctx context.Context) (map[key]drydock.RunRecord, error) {
	found, err := q.cfg.Runs.Runs(ctx, drydock.RunFilter{
		Statuses: []drydock.RunStatus{drydock.RunStarted, drydock.RunRunning}, Brief: true,
	})
	runs := map[key]drydock.RunRecord{}
	for _, r := range found {
		runs[keyOf(r)] = r
	}
	return runs, err
}

// lose tells the holder of a claim that the run is not his any more, unless he
// is giving it up just now. The slot stays his until he does.
func (q *Queue) lose(c *Claim) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !c.leaving && q.held[c.entry.key()] == c {
		c.cancel(ErrLost)
	}
}

// age returns how long ago the lease of a claim began.
func (q *Queue) age(c *Claim) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Since(c.renewed)
}

func (q *Queue) renew(ctx context.Context, c *Claim) {
	renewed := time.Now()
	_, err := q.cfg.Runs.UpdateRun(ctx, c.entry.registry, c.entry.id, func(r *drydock.RunRecord) error {
		if err := c.mine(r); err != nil {
			return err
		}
		r.LeaseUntil = q.cfg.Now().Add(q.cfg.Lease)
		return nil
	})
	switch drydock.CodeOf(err) {
	case "":
		q.mu.Lock()
		defer q.mu.Unlock()
		c.renewed = renewed
	case drydock.Conflict, drydock.NotFound:
		q.lose(c)
	default:
		q.cfg.Log.WarnContext(ctx, "keeping a run, trying again", "run", c.entry.id, "error", err)
	}
}
