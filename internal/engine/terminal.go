package engine

import "github.com/drydockhq/drydock"

// terminalLog is a Log that is written to a terminal.
type terminalLog interface {
	Log
	// Terminal lends out the terminal, as Build.Terminal does.
	Terminal() (t drydock.Terminal, release func())
}

// alone reports whether no other step can run at the same time as j, so that
// nobody else has something to show meanwhile.
func (r *run) alone(j *job) bool {
	for i := range r.jobs {
		other := &r.jobs[i]
		switch {
		case other.ID == j.ID, r.after(other, j):
		case r.after(j, other) && !other.Detach:
		default:
			return false
		}
	}
	return true
}

// after reports whether j waits for first, or for a step that does.
func (r *run) after(j, first *job) bool {
	waits := map[string]bool{first.ID: true}
	for range r.jobs { // a task's order need not be that of the waiting
		for i := range r.jobs {
			for _, id := range r.jobs[i].When {
				if waits[id] {
					waits[r.jobs[i].ID] = true
				}
			}
		}
	}
	return j.ID != first.ID && waits[j.ID]
}
