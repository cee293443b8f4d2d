package drydock

import (
	"context"
	"time"
)

// Timer is a timer of a task while it is armed.
type Timer struct {
	Task     ResourceID
	Name     string
	Schedule string // as in a TimerTrigger
	// Since is its newest occurrence that there was an event of, or when it got
	// this schedule: only what comes later counts.
	Since time.Time
	Next  time.Time // its next occurrence
}

// TimerStore keeps the timers that are armed. Those of a task go with it. Its
// methods may be called from several goroutines and servers.
type TimerStore interface {
	// PutTimer stores a timer, or replaces the one of its task and name. A task
	// that is not there is an error with code NotFound.
	PutTimer(ctx context.Context, t Timer) error

	// DeleteTimer deletes a timer, if it is there.
	DeleteTimer(ctx context.Context, task ResourceID, name string) error

	// Timers returns those of a task, or of all tasks below something, by their
	// tasks and names. The zero id stands for all.
	Timers(ctx context.Context, below ResourceID) ([]Timer, error)

	// FirstTimers returns those whose next occurrences come first, in that
	// order, at most limit.
	FirstTimers(ctx context.Context, limit int) ([]Timer, error)
}
