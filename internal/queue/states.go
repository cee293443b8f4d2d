package queue

import (
	"context"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// transitions are all steps that a run's state may take, and when it does.
var transitions = []struct {
	from, to drydock.RunStatus
	when     string
}{
	{drydock.RunQueued, drydock.RunStarted, "a server claims it"},
	{drydock.RunQueued, drydock.RunCanceled, "cancelled"},
	{drydock.RunQueued, drydock.RunFailed, "it can't be run any more"},
	{drydock.RunStarted, drydock.RunRunning, "its source is there, its steps begin"},
	{drydock.RunStarted, drydock.RunQueued, "its server is gone or hands it back"},
	{drydock.RunStarted, drydock.RunFailed, "source or task file are wrong"},
	{drydock.RunStarted, drydock.RunCanceled, "cancelled"},
	{drydock.RunStarted, drydock.RunError, "the server fails it"},
	{drydock.RunStarted, drydock.RunTimeout, "its time is up"},
	{drydock.RunRunning, drydock.RunSucceeded, "all steps succeed"},
	{drydock.RunRunning, drydock.RunQueued, "its server is gone or hands it back"},
	{drydock.RunRunning, drydock.RunFailed, "a step fails"},
	{drydock.RunRunning, drydock.RunCanceled, "cancelled"},
	{drydock.RunRunning, drydock.RunError, "the server fails it"},
	{drydock.RunRunning, drydock.RunTimeout, "its time is up"},
}

// Allowed reports whether a run may go from one state to another.
func Allowed(from, to drydock.RunStatus) bool {
	for _, t := range transitions {
		if t.from == from && t.to == to {
			return true
		}
	}
	return false
}

// Diagram returns the states and their transitions in Mermaid's language.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> " + string(drydock.RunQueued) + "\n")
	ends := map[drydock.RunStatus]bool{}
	for _, t := range transitions {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", t.from, t.to, t.when)
	}
	for _, t := range transitions {
		if t.to.Ended() && !ends[t.to] {
			ends[t.to] = true
			fmt.Fprintf(&b, "    %s --> [*]\n", t.to)
		}
	}
	return b.String()
}

// Transition takes a run from one state to another, if it is still in the first
// one and change, which may alter it further, has no objection. A run that has
// left the state is an error with code Conflict.
func Transition(ctx context.Context, runs drydock.RunStore, registry drydock.ResourceID, id string,
	from, to drydock.RunStatus, change func(*drydock.RunRecord) error,
) (drydock.RunRecord, error) {
	if !Allowed(from, to) {
		return drydock.RunRecord{}, fmt.Errorf("run %s: no run goes from %s to %s", id, from, to)
	}
	return runs.UpdateRun(ctx, registry, id, func(r *drydock.RunRecord) error {
		if r.Status != from {
			return drydock.Errorf(drydock.Conflict, "run %s is %s, not %s", r.ID, r.Status, from)
		}
		r.Status = to
		return change(r)
	})
}
