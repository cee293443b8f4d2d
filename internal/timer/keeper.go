// Package timer starts runs at fixed times: it arms the timers of tasks, tells
// when they are due, and makes runs of that.
package timer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

// Tasks are the tasks that have timers. Its methods join the transaction of
// their context.
type Tasks interface {
	// Triggers returns what starts runs of a task by itself. A task that is not
	// there is an error with code NotFound.
	Triggers(ctx context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error)

	// TimedTasks returns the tasks of a registry that have timers.
	TimedTasks(ctx context.Context, registry drydock.ResourceID) ([]drydock.ResourceID, error)

	// TaskRun returns the record of a run of a task, ready to be created. A task
	// that is disabled is an error with code Conflict.
	TaskRun(ctx context.Context, task drydock.ResourceID, change func(*drydock.RunRequest)) (drydock.RunRecord, error)
}

// Keeper keeps the timers. Its fields are set before it is used.
type Keeper struct {
	Tasks  Tasks
	Timers drydock.TimerStore
	Events drydock.EventStore
	Runs   drydock.RunStore
	Store  drydock.Transactor // of all of them
	// Follow handles the events that have come, by Handle, until there are no
	// more.
	Follow func(ctx context.Context) error
	Now    func() time.Time
	Log    *slog.Logger

	looked time.Time // by the wall clock, when the timers were last looked at
}

const (
	// lookEvery is how long the wall clock may have been set without being looked
	// at.
	lookEvery = 10 * time.Second
	// together is how many timers fire in a transaction.
	together = 100
)

// Run lets timers fire until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for pause := time.Second; ctx.Err() == nil; {
		changed := k.Events.EventsChanged()
		next, err := k.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			k.Log.ErrorContext(ctx, "keeping the timers, trying again", "error", err)
			changed, pause = nil, min(2*pause, time.Minute)
			wait.Reset(pause)
		default:
			pause = time.Second
			wait.Reset(k.until(next))
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-wait.C:
		}
	}
}

// until returns how long to wait for a time; zero is none.
func (k *Keeper) until(next time.Time) time.Duration {
	if next.IsZero() {
		return lookEvery
	}
	return max(0, min(lookEvery, next.Sub(k.Now())))
}

// Step arms the timers of the tasks that have changed, lets fire what is due
// now, and returns when the next timer is due, zero for never.
func (k *Keeper) Step(ctx context.Context) (next time.Time, err error) {
	if err := k.Follow(ctx); err != nil {
		return time.Time{}, err
	}
	if err := k.setRight(ctx); err != nil {
		return time.Time{}, err
	}
	for {
		var more bool
		err := k.Store.Atomically(ctx, func(ctx context.Context) (err error) {
			next, more, err = k.fire(ctx)
			return err
		})
		if err != nil || !more {
			return next, err
		}
		// The runs of what has fired.
		if err := k.Follow(ctx); err != nil {
			return time.Time{}, err
		}
	}
}

// fire lets fire some timers that are due, and reports whether there were any,
// or else when the next one is due.
func (k *Keeper) fire(ctx context.Context) (next time.Time, fired bool, err error) {
	first, err := k.Timers.FirstTimers(ctx, together)
	if err != nil {
		return time.Time{}, false, err
	}
	now := k.Now()
	for _, t := range first {
		if t.Next.After(now) {
			return t.Next, fired, nil
		}
		if err := k.tick(ctx, t, now); err != nil {
			return time.Time{}, false, err
		}
		fired = true
	}
	return time.Time{}, fired, nil
}

// tick writes the event of the newest occurrence of a timer, and arms it for the
// next.
func (k *Keeper) tick(ctx context.Context, t drydock.Timer, now time.Time) error {
	s, err := trigger.ParseSchedule(t.Schedule)
	if err != nil {
		return err // it could be read when it was armed
	}
	newest, count := s.Between(t.Since, now)
	if count > 0 {
		if err := k.tell(ctx, t, newest, count-1, now); err != nil {
			return err
		}
		t.Since = newest
	}
	t.Next = s.Next(t.Since)
	return k.Timers.PutTimer(ctx, t)
}

// setRight arms anew the timers that fired while the clock was far ahead: they
// would be silent until that time comes. It looks at a start and when the clock
// has gone back.
func (k *Keeper) setRight(ctx context.Context) error {
	now := k.Now().Round(0)
	if !k.looked.IsZero() && !now.Before(k.looked) {
		k.looked = now
		return nil
	}
	err := k.Store.Atomically(ctx, func(ctx context.Context) error {
		all, err := k.Timers.Timers(ctx, drydock.ResourceID{})
		if err != nil {
			return err
		}
		for _, t := range all {
			ahead, err := farAhead(t, now)
			if err != nil {
				return err
			}
			if !ahead {
				continue
			}
			k.Log.WarnContext(ctx, "a timer fired while the clock was ahead, and is set right",
				"task", t.Task.Name(), "timer", t.Name, "fired", t.Since, "now", now)
			if err := k.arm(ctx, t, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		k.looked = now
	}
	return err
}

// farAhead reports that a timer's newest occurrence is more than a period in the
// future: the clock was wrong when it fired, rather than put back by a bit. What
// occurs again is told once, since its event has the same ID.
func farAhead(t drydock.Timer, now time.Time) (bool, error) {
	s, err := trigger.ParseSchedule(t.Schedule)
	if err != nil {
		return false, fmt.Errorf("timer %q of %s: %w", t.Name, t.Task, err)
	}
	next := s.Next(now)
	return !next.IsZero() && t.Since.After(next), nil
}

// arm arms a timer from a time on.
func (k *Keeper) arm(ctx context.Context, t drydock.Timer, since time.Time) error {
	s, err := trigger.ParseSchedule(t.Schedule)
	if err != nil {
		return fmt.Errorf("timer %q of %s: %w", t.Name, t.Task, err)
	}
	t.Since, t.Next = since, s.Next(since)
	return k.Timers.PutTimer(ctx, t)
}
