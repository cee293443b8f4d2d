package timer

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

// Handle arms the timers of tasks that have changed, and creates the runs of
// timers that were due. It is a handler of events.
func (k *Keeper) Handle(ctx context.Context, events []drydock.Event) ([]drydock.RunRecord, error) {
	var created []drydock.RunRecord
	for _, e := range events {
		var err error
		switch e.Kind {
		case drydock.TaskChangedEvent:
			err = k.armTask(ctx, e.Subject, e.Time)
		case drydock.TriggersChangedEvent:
			err = k.armRegistry(ctx, e.Subject, e.Time)
		case drydock.TimerEvent:
			var run *drydock.RunRecord
			if run, err = k.start(ctx, e); run != nil {
				created = append(created, *run)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return created, nil
}

// armRegistry arms the timers of a registry whose triggers may go on now, or be
// held.
func (k *Keeper) armRegistry(ctx context.Context, registry drydock.ResourceID, since time.Time) error {
	tasks, err := k.Tasks.TimedTasks(ctx, registry)
	if err != nil {
		return err
	}
	for _, task := range tasks {
		if err := k.armTask(ctx, task, since); err != nil {
			return err
		}
	}
	return nil
}

// armTask makes the timers that are armed those that a task has. A timer that is
// new, or has another schedule, counts from a time on; so does one that was
// disabled or held back, which makes up for nothing.
func (k *Keeper) armTask(ctx context.Context, task drydock.ResourceID, since time.Time) error {
	t, err := k.Tasks.Triggers(ctx, task)
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		return err
	}
	if t.Changed.After(since) {
		since = t.Changed // what is read now was written later than the event
	}
	armed, err := k.Timers.Timers(ctx, task)
	if err != nil {
		return err
	}
	schedules := map[string]string{}
	for _, timer := range armed {
		schedules[timer.Name] = timer.Schedule
	}
	for _, timer := range live(t) {
		schedule, is := schedules[timer.Name]
		delete(schedules, timer.Name)
		if is && schedule == timer.Schedule {
			continue
		}
		if _, err := trigger.ParseSchedule(timer.Schedule); err != nil {
			k.Log.WarnContext(ctx, "a timer can't be armed", "task", task.String(), "timer", timer.Name, "error", err)
			continue
		}
		if err := k.arm(ctx, drydock.Timer{Task: task, Name: timer.Name, Schedule: timer.Schedule}, since); err != nil {
			return err
		}
	}
	for name := range schedules {
		if err := k.Timers.DeleteTimer(ctx, task, name); err != nil {
			return err
		}
	}
	return nil
}

// live returns the timers of a task that may start runs now.
func live(t drydock.TaskTriggers) []drydock.TimerTrigger {
	if !t.Enabled || t.Paused {
		return nil
	}
	var on []drydock.TimerTrigger
	for _, timer := range t.Timers {
		if timer.Enabled {
			on = append(on, timer)
		}
	}
	return on
}
