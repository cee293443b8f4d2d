package baseimage

import (
	"context"
	"maps"
	"time"
)

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
