package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/graph"
)

// The server starts what is due by itself within moments.
const (
	dueWait  = 2 * time.Second
	dueWaits = 30
)

// rebuild runs the tasks that are stale, those that others are built from first.
type rebuild struct {
	c      *call
	api    *api
	flags  *registryFlags
	noWait bool
	done   map[string]bool // ids, in lower case, of tasks that were run or passed over
	runs   []any
	failed int
	waits  int // for tasks that are due
}

// all runs tasks until none is left, and returns the runs.
func (r *rebuild) all(stale []graph.Task) (any, error) {
	r.runs = []any{}
	for {
		next, blocked := r.next(stale)
		if len(next)+len(blocked) == 0 {
			break
		}
		var err error
		switch {
		case len(next) == 0 && r.waits < dueWaits && !r.noWait:
			r.waits++
			err = r.c.Sleep(r.c.ctx, dueWait)
		case len(next) == 0:
			next = blocked
			fallthrough
		default:
			err = r.together(next)
		}
		if err != nil || r.noWait {
			return r.runs, err
		}
		// What was pushed meanwhile may have made others stale, or run them.
		if stale, err = r.flags.stale(r.c); err != nil {
			return r.runs, err
		}
	}
	if r.failed > 0 {
		return r.runs, drydock.Errorf(drydock.Failed, "%d of %d runs did not succeed", r.failed, len(r.runs)).
			WithHint("%s acr task logs -r REGISTRY --run-id ID shows why", r.c.Name)
	}
	if len(r.runs) == 0 {
		r.c.say("There is nothing to run.")
	}
	return r.runs, nil
}

// next returns the tasks that are built from none which is to be run before, and
// those that are built from one which the server runs by itself.
func (r *rebuild) next(stale []graph.Task) (next, blocked []graph.Task) {
	left, due := map[string]graph.Task{}, map[string]graph.Task{}
	for _, t := range stale {
		key := strings.ToLower(t.ID)
		switch passed := t.Status == "Disabled" || t.Due; {
		case passed && !r.done[key]:
			r.c.say("Task %s in %s is passed over: %s.", t.Name, t.Registry, whatNext(t))
			r.done[key] = true
		case !r.done[key]:
			left[key] = t
		}
		if t.Due {
			due[key] = t
		}
	}
	for _, t := range left {
		switch {
		case buildsOn(t, left):
		case buildsOn(t, due):
			blocked = append(blocked, t)
		default:
			next = append(next, t)
		}
	}
	if len(next)+len(blocked) == 0 { // they are built from one another: in any order
		for _, t := range left {
			next = append(next, t)
		}
	}
	byID := func(a, b graph.Task) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(next, byID)
	slices.SortFunc(blocked, byID)
	return next, blocked
}

// buildsOn reports whether a task is built from an image that one of some others
// pushes.
func buildsOn(t graph.Task, others map[string]graph.Task) bool {
	return slices.ContainsFunc(t.BaseImages, func(b graph.Base) bool {
		return slices.ContainsFunc(b.Producers, func(id string) bool {
			_, is := others[strings.ToLower(id)]
			return is && !strings.EqualFold(id, t.ID)
		})
	})
}

// queued is a run that is waited for.
type queued struct {
	*registry
	doc object
}

// together queues the runs of tasks and waits for all of them.
func (r *rebuild) together(tasks []graph.Task) error {
	var waiting []queued
	for _, t := range tasks {
		if err := r.settle(t); err != nil {
			return err
		}
	}
	for _, t := range tasks {
		r.done[strings.ToLower(t.ID)] = true
		registry, err := r.registryOf(t.ID)
		if err != nil {
			return err
		}
		run, err := (&waitFlags{noWait: true}).schedule(r.c, registry, object{"type": "TaskRunRequest", "taskId": t.ID}, "run of "+t.Name+" in "+t.Registry)
		if err != nil {
			return fmt.Errorf("running %s: %w", t.Name, err)
		}
		doc := object{"task": t.Name, "registry": t.Registry, "runId": at(run, "runId"), "status": at(run, "status")}
		r.runs = append(r.runs, doc)
		waiting = append(waiting, queued{registry, doc})
	}
	if r.noWait {
		return nil
	}
	for _, q := range waiting {
		id := text(q.doc, "runId")
		ended, err := q.waitFor(r.c, id)
		if err != nil {
			return r.c.stillRunning(q.registry, id, err)
		}
		q.doc["status"] = at(ended, "status")
		r.c.say("Run %s of %s: %s", id, text(ended, "task"), text(ended, "status"))
		if text(ended, "status") != "Succeeded" {
			r.failed++
		}
	}
	return nil
}

// settle waits for runs that go on of the tasks which push what a task is built
// from.
func (r *rebuild) settle(t graph.Task) error {
	if r.noWait {
		return nil
	}
	for _, b := range t.BaseImages {
		for _, id := range b.Producers {
			registry, err := r.registryOf(id)
			if err != nil {
				return err
			}
			newest, err := registry.runs(r.c, runFilter{task: id[strings.LastIndexByte(id, '/')+1:]}, 1)
			if err != nil {
				return err
			}
			run := at(newest, 0)
			if run == nil || hasEnded(text(run, "status")) {
				continue
			}
			r.c.say("Waiting for run %s of %s in %s", text(run, "runId"), text(run, "task"), registry.name)
			if _, err := registry.waitFor(r.c, text(run, "runId")); err != nil {
				return err
			}
		}
	}
	return nil
}

// registryOf returns the registry of a task.
func (r *rebuild) registryOf(task string) (*registry, error) {
	path, _, ok := strings.Cut(task, "/tasks/")
	if !ok {
		return nil, drydock.Errorf(drydock.Failed, "the server names a task %q", task)
	}
	return &registry{api: r.api, name: path[strings.LastIndexByte(path, '/')+1:], path: path}, nil
}
