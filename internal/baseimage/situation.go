package baseimage

import (
	"context"
	"slices"

	"github.com/drydockhq/drydock"
)

// situation is what decides which of the tasks that are due may run now. Tasks
// are named by the keys of their ids.
type situation struct {
	due   []drydock.DueTask          // in the order in which they became due
	nodes map[string]*node           // of these and of all that they are built on
	on    map[string][]string        // tasks that push what a task is built from
	chain map[string]map[string]bool // tasks that led to a run, its own included, by the run's id
}

// node is a task in the graph of those that build on one another.
type node struct {
	task   drydock.ResourceID
	due    *drydock.DueTask    // nil when it is not due
	active []drydock.RunRecord // in brief; those that have not ended, oldest first
	newest drydock.RunRecord   // in brief; zero for none
}

// since returns the root of the oldest change that makes the task due.
func since(t *drydock.DueTask) int64 {
	first := t.Images[0].Base.Since
	for _, i := range t.Images {
		first = min(first, i.Base.Since)
	}
	return first
}

// look finds out what the situation is.
func look(ctx context.Context, store Store) (*situation, error) {
	s := &situation{nodes: map[string]*node{}, on: map[string][]string{}, chain: map[string]map[string]bool{}}
	var err error
	if s.due, err = store.DueTasks(ctx); err != nil || len(s.due) == 0 {
		return s, err
	}
	tasks := make([]drydock.ResourceID, len(s.due))
	for i, t := range s.due {
		tasks[i] = t.Task
	}
	if err := s.climb(ctx, store, tasks); err != nil {
		return nil, err
	}
	for i := range s.due {
		s.nodes[s.due[i].Task.Key()].due = &s.due[i]
	}
	if err := s.findRuns(ctx, store); err != nil {
		return nil, err
	}
	if err := s.findNewest(ctx, store); err != nil {
		return nil, err
	}
	for _, t := range s.due {
		for _, i := range t.Images {
			if err := s.follow(ctx, store, i.Now.Run); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// climb adds tasks and those that they are built on, to the last.
func (s *situation) climb(ctx context.Context, store Store, tasks []drydock.ResourceID) error {
	for _, id := range tasks {
		s.nodes[id.Key()] = &node{task: id}
	}
	for due := true; len(tasks) > 0; due = false {
		found, err := store.Foundations(ctx, tasks...)
		if err != nil {
			return err
		}
		tasks = nil
		for _, f := range found {
			if !due && !f.Counts {
				continue // what the other one does will not reach others through this one
			}
			key, on := f.Task.Key(), f.On.Key()
			s.on[key] = append(s.on[key], on)
			if s.nodes[on] == nil {
				s.nodes[on] = &node{task: f.On}
				tasks = append(tasks, f.On)
			}
		}
	}
	return nil
}

// fewTasks is how many tasks are asked for by their names, rather than for all
// runs that go on.
const fewTasks = 100

// findRuns adds the runs that go on.
func (s *situation) findRuns(ctx context.Context, store Store) error {
	filters := map[string]*drydock.RunFilter{}
	for _, n := range s.nodes {
		registry := n.task.Parent()
		f := filters[registry.Key()]
		if f == nil {
			f = &drydock.RunFilter{Registry: registry, OnlyActive: true, Brief: true}
			filters[registry.Key()] = f
		}
		f.Tasks = append(f.Tasks, n.task.Name())
	}
	if len(s.nodes) > fewTasks {
		filters = map[string]*drydock.RunFilter{"": {OnlyActive: true, Brief: true}}
	}
	for _, f := range filters {
		active, err := store.Runs(ctx, *f)
		if err != nil {
			return err
		}
		for _, r := range slices.Backward(active) {
			if n := s.nodes[r.Registry.Child("tasks", r.Task).Key()]; n != nil && r.Task != "" {
				n.active = append(n.active, r)
			}
		}
	}
	return nil
}

// findNewest adds the newest runs of those that are built on and not due.
func (s *situation) findNewest(ctx context.Context, store Store) error {
	for _, n := range s.nodes {
		if n.due != nil || len(n.active) > 0 {
			continue
		}
		found, err := store.Runs(ctx, drydock.RunFilter{Registry: n.task.Parent(), Tasks: []string{n.task.Name()}, Limit: 1, Brief: true})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			n.newest = found[0]
		}
	}
	return nil
}

// follow finds the tasks in the chain of causes that led to a run.
func (s *situation) follow(ctx context.Context, store Store, run drydock.ResourceID) error {
	if run.Subscription == "" || s.chain[run.Key()] != nil {
		return nil
	}
	tasks := map[string]bool{}
	seen := map[string]bool{}
	for queue := []drydock.ResourceID{run}; len(queue) > 0 && len(seen) < maxChain; queue = queue[1:] {
		id := queue[0]
		if seen[id.Key()] {
			continue
		}
		seen[id.Key()] = true
		r, err := store.Run(ctx, id.Parent(), id.Name())
		if drydock.CodeOf(err) == drydock.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		if r.Task != "" {
			tasks[r.Registry.Child("tasks", r.Task).Key()] = true
		}
		for _, image := range causeOf(r).Image {
			if before, err := drydock.ParseResourceID(image.Run); err == nil && image.Run != "" {
				queue = append(queue, before)
			}
		}
	}
	s.chain[run.Key()] = tasks
	return nil
}

// maxChain is how many runs a chain of causes is followed back at most.
const maxChain = 10_000
