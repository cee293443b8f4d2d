package timer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

// tell writes the event of an occurrence, once, whoever else has the same
// timers.
func (k *Keeper) tell(ctx context.Context, t drydock.Timer, occurrence time.Time, missed int, now time.Time) error {
	data, err := json.Marshal(drydock.TimerTick{Timer: t.Name, Occurrence: occurrence, Missed: missed})
	if err != nil {
		return err
	}
	_, err = k.Events.AppendEvent(ctx, drydock.Event{
		ID:   fmt.Sprintf("%s %s %q %d", drydock.TimerEvent, t.Task.Key(), t.Name, occurrence.Unix()),
		Kind: drydock.TimerEvent, Subject: t.Task, Data: data, Time: now,
	})
	return err
}

// start creates the run of a timer that was due, nil if the timer may start none
// now.
func (k *Keeper) start(ctx context.Context, e drydock.Event) (*drydock.RunRecord, error) {
	var tick drydock.TimerTick
	if err := json.Unmarshal(e.Data, &tick); err != nil {
		return nil, fmt.Errorf("reading the event of a timer: %w", err)
	}
	triggers, err := k.Tasks.Triggers(ctx, e.Subject)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, timer := range live(triggers) {
		if timer.Name == tick.Timer {
			return k.create(ctx, e, tick, timer)
		}
	}
	return nil, nil
}

func (k *Keeper) create(ctx context.Context, e drydock.Event, tick drydock.TimerTick, timer drydock.TimerTrigger) (*drydock.RunRecord, error) {
	run, err := k.Tasks.TaskRun(ctx, e.Subject, nil)
	if err != nil {
		return nil, err
	}
	cause := &drydock.RunCause{
		Event: e.Number, Time: tick.Occurrence, By: fmt.Sprintf("timer %s (%s)", timer.Name, timer.Schedule),
	}
	t := drydock.RunTrigger{Cause: cause, Timer: &drydock.TimerTriggerDescriptor{
		Name: tick.Timer, Occurrence: tick.Occurrence.UTC().Format(time.RFC3339),
	}}
	if tick.Missed > 0 {
		cause.Notes = []string{fmt.Sprintf("The timer was due %d more %s before that while no server told the time; this run stands for all.",
			tick.Missed, plural(tick.Missed, "time"))}
		k.Log.WarnContext(ctx, "a timer missed occurrences, which one run stands for",
			"task", e.Subject.String(), "timer", timer.Name, "occurrence", tick.Occurrence, "missed", tick.Missed)
	}
	if run.Trigger, err = json.Marshal(t); err != nil {
		return nil, err
	}
	if run, err = k.Runs.CreateRun(ctx, run); err != nil {
		return nil, err
	}
	return &run, nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
