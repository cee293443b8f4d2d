package baseimage

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/drydockhq/drydock"
)

// Evaluator makes runs of what is due. Its fields are set before Run.
type Evaluator struct {
	Store Store
	Tasks Tasks
	// Created is told of runs after they are stored, so that they are started.
	Created func(runs ...drydock.RunRecord)
	Log     *slog.Logger
	NewID   func() string // makes a GUID
	// Changed wakes it; a Follower's Changed should send to it without waiting.
	Changed <-chan struct{}
	// Poll is how often it looks without being told; 1 min if 0.
	Poll time.Duration
	// Part is how many tasks one transaction is about at most; 200 if 0.
	Part int
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
		if d.Action != wait {
			doing = append(doing, d)
		}
	}
	part := e.Part
	if part == 0 {
		part = 200
	}
	for len(doing) > 0 {
		n := min(part, len(doing))
		if err := e.carryOut(ctx, doing[:n]); err != nil {
			return err
		}
		doing = doing[n:]
	}
	return nil
}

// carryOut carries decisions out that still hold.
func (e *Evaluator) carryOut(ctx context.Context, decisions []decision) error {
	var created []drydock.RunRecord
	err := e.Store.Atomically(ctx, func(ctx context.Context) error {
		created = nil
		tasks := make([]drydock.ResourceID, len(decisions))
		for i, d := range decisions {
			tasks[i] = d.Task.Task
		}
		due, err := e.Store.DueTasks(ctx, tasks...)
		if err != nil {
			return err
		}
		now := map[string]drydock.DueTask{}
		for _, t := range due {
			now[t.Task.Key()] = t
		}
		for _, d := range decisions {
			t, still := now[d.Task.Task.Key()]
			if !still || t.Newest != d.Task.Newest {
				continue
			}
			switch d.Action {
			case start:
				r, err := e.start(ctx, d)
				if err != nil {
					return err
				}
				created = append(created, r)
			case join:
				if err := e.join(ctx, d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil && len(created) > 0 {
		e.Created(created...)
	}
	return err
}

// start stores a run.
func (e *Evaluator) start(ctx context.Context, d decision) (drydock.RunRecord, error) {
	r, err := e.Tasks.TaskRun(ctx, d.Task.Task, nil)
	if err != nil {
		return r, err
	}
	if r.Trigger, err = newTrigger(d, e.NewID()); err != nil {
		return r, err
	}
	r.Root = since(&d.Task)
	r.Batch = "base-image/" + strconv.FormatInt(r.Root, 10)
	return e.Store.CreateRun(ctx, r)
}

// join adds a cause to a run that is queued, which will build on the newest.
func (e *Evaluator) join(ctx context.Context, d decision) error {
	started := false
	_, err := e.Store.UpdateRun(ctx, d.Run.Registry, d.Run.ID, func(r *drydock.RunRecord) error {
		if started = r.Status != drydock.RunQueued; started {
			return nil
		}
		var err error
		r.Trigger, err = addCause(r.Trigger, d)
		return err
	})
	if err != nil || started {
		return err
	}
	return e.Store.Settle(ctx, d.Task.Task)
}
