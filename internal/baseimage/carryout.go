package baseimage

import (
	"context"
	"fmt"

	"github.com/drydockhq/drydock"
)

// transact carries out those decisions of a part that still hold, together.
func (e *Evaluator) transact(ctx context.Context, p part) error {
	var created []drydock.RunRecord
	err := e.Store.Atomically(ctx, func(ctx context.Context) error {
		holding, err := e.holding(ctx, p.decisions)
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
		runs, err := p.runs(ctx, e, starting)
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
