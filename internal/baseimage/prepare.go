package baseimage

import (
	"context"
	"fmt"
	"strconv"

	"github.com/drydockhq/drydock"
)

// part is decisions that are carried out together.
type part struct {
	decisions []decision
	// made are runs for those of them that start one, by the keys of their tasks,
	// as of an event: whatever changes a task writes one.
	made  map[string]madeRun
	event int64
}

// madeRun is a run that is ready to be stored, or why there is none.
type madeRun struct {
	run drydock.RunRecord
	err error
}

// One transaction is about so many tasks at most: others want to write too, and
// the first are to start soon.
const (
	firstPart  = 50
	otherParts = 500
)

// prepare parts decisions, and makes the runs of one part while another is
// stored. The channel is closed after the last, or when ctx ends.
func (e *Evaluator) prepare(ctx context.Context, decisions []decision) <-chan part {
	parts := make(chan part)
	go func() {
		defer close(parts)
		for size := firstPart; len(decisions) > 0; size = otherParts {
			n := min(size, len(decisions))
			p := part{decisions: decisions[:n]}
			p.make(ctx, e)
			select {
			case parts <- p:
			case <-ctx.Done():
				return
			}
			decisions = decisions[n:]
		}
	}()
	return parts
}

// make makes the runs of a part. What goes wrong shows when they are needed.
func (p *part) make(ctx context.Context, e *Evaluator) {
	event, err := e.Store.LastEvent(ctx)
	if err != nil {
		return
	}
	var starting []decision
	for _, d := range p.decisions {
		if d.Action == start {
			starting = append(starting, d)
		}
	}
	if made, err := e.makeRuns(ctx, starting); err == nil {
		p.made, p.event = made, event
	}
}

// makeRuns returns runs for decisions, by the keys of their tasks.
func (e *Evaluator) makeRuns(ctx context.Context, decisions []decision) (map[string]madeRun, error) {
	made := map[string]madeRun{}
	if len(decisions) == 0 {
		return made, nil
	}
	tasks := make([]drydock.ResourceID, len(decisions))
	for i, d := range decisions {
		tasks[i] = d.Task.Task
	}
	records, refused, err := e.Tasks.TaskRuns(ctx, tasks)
	if err != nil {
		return nil, err
	}
	for i, d := range decisions {
		m := madeRun{records[i], refused[i]}
		if m.err == nil {
			m.run.Root = since(&d.Task)
			m.run.Batch = "base-image/" + strconv.FormatInt(m.run.Root, 10)
			m.run.Trigger, m.err = newTrigger(d, e.NewID())
		}
		made[d.Task.Task.Key()] = m
	}
	return made, nil
}

// runs returns the runs of those decisions of the part that still hold, made anew
// if something has happened meanwhile. It is called within the transaction that
// stores them.
func (p *part) runs(ctx context.Context, e *Evaluator, holding []decision) ([]drydock.RunRecord, error) {
	event, err := e.Store.LastEvent(ctx)
	if err != nil {
		return nil, err
	}
	made := p.made
	if made == nil || event != p.event {
		if made, err = e.makeRuns(ctx, holding); err != nil {
			return nil, err
		}
	}
	var runs []drydock.RunRecord
	for _, d := range holding {
		m := made[d.Task.Task.Key()]
		switch drydock.CodeOf(m.err) {
		case "":
			runs = append(runs, m.run)
		case drydock.Conflict, drydock.NotFound: // disabled or deleted meanwhile
		default:
			return nil, fmt.Errorf("making a run of task %s: %w", d.Task.Task.Name(), m.err)
		}
	}
	return runs, nil
}
