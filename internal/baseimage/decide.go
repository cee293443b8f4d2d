package baseimage

import (
	"slices"

	"github.com/drydockhq/drydock"
)

// action is what is done about a task that is due.
type action string

const (
	start action = "start" // a run
	join  action = "join"  // add the cause to a run that is queued
	wait  action = "wait"  // for what is in For
	cut   action = "cut"   // the chain of causes would close; the task stands on it as it is
)

// decision is what is done about a task, or about one of its images.
type decision struct {
	Task   drydock.DueTask // with the images that the decision is about
	Action action
	Run    drydock.RunRecord // that is joined, in brief
	// For are the tasks that are waited for, the task itself for its own run.
	For []drydock.ResourceID
	// Failed are the newest runs of tasks that the task builds on, which were to
	// bring a change and did not succeed.
	Failed []drydock.RunRecord
	// Platforms are, for each image of the task, those that have changed; nil when
	// that isn't known.
	Platforms [][]string
}

// decide says what is done about each task that is due, in their order.
func (s *situation) decide() []decision {
	g := newGraph(s)
	var all []decision
	for i := range s.due {
		rest, closed := s.split(s.due[i])
		if len(closed.Images) > 0 {
			all = append(all, decision{Task: closed, Action: cut})
		}
		if len(rest.Images) > 0 {
			all = append(all, s.decideOn(g, rest))
		}
	}
	return all
}

// split parts the images whose digests the task itself has led to.
func (s *situation) split(t drydock.DueTask) (rest, closed drydock.DueTask) {
	rest, closed = t, t
	rest.Images, closed.Images = nil, nil
	for _, i := range t.Images {
		if s.chain[i.Now.Run.Key()][t.Task.Key()] {
			closed.Images = append(closed.Images, i)
		} else {
			rest.Images = append(rest.Images, i)
		}
	}
	return rest, closed
}

func (s *situation) decideOn(g *graph, t drydock.DueTask) decision {
	d := decision{Task: t, Action: start}
	n := s.nodes[t.Task.Key()]
	for _, r := range n.active {
		if r.Altered {
			continue // it may be about something else
		}
		if r.Status == drydock.RunQueued {
			return decision{Task: t, Action: join, Run: r}
		}
		d.Action = wait
	}
	if d.Action == wait || t.Newest > t.Ended {
		// It may have resolved the newest already; its end will tell.
		return decision{Task: t, Action: wait, For: []drydock.ResourceID{t.Task}}
	}
	first := since(&t)
	for _, key := range g.above(t.Task.Key()) {
		u := s.nodes[key]
		switch {
		case blocks(u, first):
			d.Action = wait
			d.For = append(d.For, u.task)
		case failedToBring(u.newest, first):
			d.Failed = append(d.Failed, u.newest)
		}
	}
	slices.SortFunc(d.For, func(a, b drydock.ResourceID) int { return compareIDs(a, b) })
	return d
}

// failedToBring reports whether a run was to bring a change, or a later one, and
// did not succeed. That of an earlier change says nothing about this one.
func failedToBring(r drydock.RunRecord, change int64) bool {
	return r.Batch != "" && r.Status.Ended() && r.Status != drydock.RunSucceeded && r.Root >= change
}

// blocks reports whether a task that others build on is still to do what a
// change asks of it. What came later is not waited for, or those that build on
// it might wait forever.
func blocks(u *node, first int64) bool {
	if u.due != nil && since(u.due) <= first {
		return true
	}
	return slices.ContainsFunc(u.active, func(r drydock.RunRecord) bool { return r.Root <= first })
}
