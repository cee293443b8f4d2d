package baseimage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
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
	for part := firstPart; len(doing) > 0; part = otherParts {
		n := min(part, len(doing))
		if err := e.carryOut(ctx, doing[:n]); err != nil {
			return err
		}
		doing = doing[n:]
	}
	return nil
}

// One transaction is about so many tasks at most: others want to write too, and
// the first are to start soon.
const (
	firstPart  = 50
	otherParts = 500
)

// carryOut carries decisions out: all of them together, or one by one when one
// of them can't be.
func (e *Evaluator) carryOut(ctx context.Context, decisions []decision) error {
	err := e.transact(ctx, decisions)
	if err == nil || transient(err) {
		return err
	}
	for _, d := range decisions {
		err := e.transact(ctx, []decision{d})
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

// refusedFor is how long a run that can't be made is not tried again, unless its
// task is changed.
const refusedFor = 10 * time.Minute

// refuse notes that a decision can't be carried out.
func (e *Evaluator) refuse(ctx context.Context, d decision, err error) {
	e.Log.ErrorContext(ctx, "a task whose base image has changed can't be run", "task", d.Task.Task.String(), "error", err)
	if e.refusals == nil {
		e.refusals = map[string]refusal{}
	}
	maps.DeleteFunc(e.refusals, func(_ string, r refusal) bool { return time.Since(r.at) >= refusedFor })
	e.refusals[d.Task.Task.Key()] = refusal{since(&d.Task), time.Now()}
}

// refused reports whether the same was refused a short while ago.
func (e *Evaluator) refused(d decision) bool {
	r, there := e.refusals[d.Task.Task.Key()]
	return there && r.since == since(&d.Task) && time.Since(r.at) < refusedFor
}

// refusal is a run that could not be made.
type refusal struct {
	since int64
	at    time.Time
}

// transact carries out those decisions that still hold, together.
func (e *Evaluator) transact(ctx context.Context, decisions []decision) error {
	var created []drydock.RunRecord
	err := e.Store.Atomically(ctx, func(ctx context.Context) error {
		holding, err := e.holding(ctx, decisions)
		if err != nil {
			return err
		}
		var starting []decision
		for _, d := range holding {
			switch d.Action {
			case start:
				starting = append(starting, d)
			case join:
				err = e.join(ctx, d)
			case cut:
				err = e.cut(ctx, d)
			}
			if err != nil {
				return err
			}
		}
		runs, err := e.newRuns(ctx, starting)
		if err != nil {
			return err
		}
		created, err = e.Store.CreateRuns(ctx, runs)
		return err
	})
	if err == nil && len(created) > 0 {
		e.Created(created...)
	}
	return err
}

// holding returns those decisions whose tasks are due still, and have no other
// run since.
func (e *Evaluator) holding(ctx context.Context, decisions []decision) ([]decision, error) {
	tasks := make([]drydock.DueTask, len(decisions))
	for i, d := range decisions {
		tasks[i] = d.Task
	}
	still, err := e.Store.StillDue(ctx, tasks...)
	if err != nil {
		return nil, err
	}
	var holding []decision
	for i, d := range decisions {
		if still[i] {
			holding = append(holding, d)
		}
	}
	return holding, nil
}

// newRuns returns runs that are ready to be stored.
func (e *Evaluator) newRuns(ctx context.Context, decisions []decision) ([]drydock.RunRecord, error) {
	if len(decisions) == 0 {
		return nil, nil
	}
	tasks := make([]drydock.ResourceID, len(decisions))
	for i, d := range decisions {
		tasks[i] = d.Task.Task
	}
	records, refused, err := e.Tasks.TaskRuns(ctx, tasks)
	if err != nil {
		return nil, err
	}
	var runs []drydock.RunRecord
	for i, d := range decisions {
		switch drydock.CodeOf(refused[i]) {
		case "":
		case drydock.Conflict, drydock.NotFound: // disabled or deleted meanwhile
			continue
		default:
			return nil, fmt.Errorf("making a run of task %s: %w", d.Task.Task.Name(), refused[i])
		}
		r := records[i]
		if r.Trigger, err = newTrigger(d, e.NewID()); err != nil {
			return nil, err
		}
		r.Root = since(&d.Task)
		r.Batch = "base-image/" + strconv.FormatInt(r.Root, 10)
		runs = append(runs, r)
	}
	return runs, nil
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

// cut lets a task stand on images that it has led to itself, and notes that with
// the runs that pushed them.
func (e *Evaluator) cut(ctx context.Context, d decision) error {
	var images []drydock.ImageName
	for _, i := range d.Task.Images {
		images = append(images, i.Now.Image)
		note := fmt.Sprintf("%s is not rebuilt on %s, although it builds on it: a run of it has led to this one",
			d.Task.Task.Name(), i.Now.Image.Familiar())
		_, err := e.Store.UpdateRun(ctx, i.Now.Run.Parent(), i.Now.Run.Name(), func(r *drydock.RunRecord) (err error) {
			r.Trigger, err = addNote(r.Trigger, r.Created, note)
			return err
		})
		if err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return err
		}
		e.Log.InfoContext(ctx, "a circle of base images is cut", "task", d.Task.Task.String(), "image", i.Now.Image.String(),
			"run", i.Now.Run.String())
	}
	return e.Store.SettleImages(ctx, d.Task.Task, images...)
}
