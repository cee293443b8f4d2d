package baseimage

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/drydockhq/drydock"
)

// Evaluator makes runs of what is due. Its fields are set before Run.
type Evaluator struct {
	Store Store
	Tasks Tasks
	// Manifests tells which platforms of an image have changed; may be nil.
	Manifests Manifests
	// Created is told of runs after they are stored, so that they are started.
	Created func(runs ...drydock.RunRecord)
	Log     *slog.Logger
	NewID   func() string // makes a GUID
	// Changed wakes it; a Follower's Changed should send to it without waiting.
	Changed <-chan struct{}
	// Poll is how often it looks without being told; 1 min if 0.
	Poll time.Duration

	refusals map[string]refusal // by the keys of tasks
}

// Run looks for what is due until ctx ends, from the start on.
func (e *Evaluator) Run(ctx context.Context) {
	poll := e.Poll
	if poll == 0 {
		poll = time.Minute
	}
	for ctx.Err() == nil {
		if err := e.Evaluate(ctx); err != nil && ctx.Err() == nil {
			e.Log.ErrorContext(ctx, "looking for tasks whose base images have changed, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-e.Changed:
		case <-time.After(poll):
		}
	}
}

// Evaluate makes the runs that are to be made now.
func (e *Evaluator) Evaluate(ctx context.Context) error {
	s, err := look(ctx, e.Store)
	if err != nil {
		return err
	}
	var doing []decision
	for _, d := range s.decide() {
		if d.Action != wait && !e.refused(d) {
			doing = append(doing, d)
		}
	}
	e.addPlatforms(ctx, doing)
	preparing, stop := context.WithCancel(ctx)
	parts := e.prepare(preparing, doing)
	defer func() {
		stop()
		for range parts { // until nobody sends any more
		}
	}()
	for p := range parts {
		if err := e.carryOut(ctx, p); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// carryOut carries decisions out: all of them together, or one by one when one
// of them can't be.
func (e *Evaluator) carryOut(ctx context.Context, p part) error {
	err := e.transact(ctx, p)
	if err == nil || transient(err) {
		return err
	}
	for _, d := range p.decisions {
		err := e.transact(ctx, part{decisions: []decision{d}})
		if transient(err) {
			return err
		}
		if err != nil {
			e.refuse(ctx, d, err)
		}
	}
	return nil
}

// transient reports that the same may succeed soon.
func transient(err error) bool {
	return drydock.CodeOf(err) == drydock.Unavailable || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
