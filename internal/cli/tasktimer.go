package cli

import (
	"slices"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

type timerFlags struct {
	taskFlags
	name, schedule string
	enabled        args.Bool
}

func (t *timerFlags) define(f *flags) {
	t.defineName(f)
	f.StringVar(&t.schedule, "schedule", "", "when, as CRON in UTC: minute hour day month weekday")
	t.enabled.Var(f.FlagSet, "enabled", "whether the timer is enabled")
}

func (t *timerFlags) defineName(f *flags) {
	t.taskFlags.define(f)
	f.StringVar(&t.name, "timer-name", "", "name of the timer")
	f.need("timer-name")
}

// set changes the timer, or adds it.
func (t *timerFlags) set(c *call, isNew bool) (any, error) {
	task, err := t.find(c)
	if err != nil {
		return nil, err
	}
	timer := with("name", t.name, "schedule", t.schedule)
	if t.enabled.Given || isNew {
		timer["status"] = word(t.enabled.Or(true), "Enabled", "Disabled")
	}
	changed, err := task.patch(c, object{"properties": object{"trigger": object{"timerTriggers": []any{timer}}}})
	return flat(changed), err
}

func taskTimerAdd() command {
	var t timerFlags
	return command{
		use: "add", short: "Add a timer", table: taskTable,
		flags: func(f *flags) {
			t.define(f)
			f.need("schedule")
		},
		run: func(c *call) (any, error) { return t.set(c, true) },
	}
}

func taskTimerUpdate() command {
	var t timerFlags
	return command{use: "update", short: "Change a timer", table: taskTable, flags: t.define, run: func(c *call) (any, error) { return t.set(c, false) }}
}

// taskTimerRemove replaces the task: changes are merged, which takes nothing
// away.
func taskTimerRemove() command {
	var t timerFlags
	return command{use: "remove", short: "Remove a timer", table: taskTable, flags: t.defineName, run: func(c *call) (any, error) {
		task, err := t.find(c)
		if err != nil {
			return nil, err
		}
		now, err := task.details(c)
		if err != nil {
			return nil, err
		}
		timers, _ := at(now, "properties", "trigger", "timerTriggers").([]any)
		left := slices.DeleteFunc(slices.Clone(timers), func(timer any) bool { return text(timer, "name") == t.name })
		if len(left) == len(timers) {
			return nil, drydock.Errorf(drydock.NotFound, "the task %q has no timer %q", task.name, t.name).
				WithHint("%s acr task timer list shows them", c.Name)
		}
		at(now, "properties", "trigger").(object)["timerTriggers"] = left
		changed, err := task.put(c, now)
		return flat(changed), err
	}}
}

func taskTimerList() command {
	var t taskFlags
	return command{use: "list", short: "List timers", flags: t.define, run: func(c *call) (any, error) {
		task, err := t.find(c)
		if err != nil {
			return nil, err
		}
		now, err := task.get(c)
		if err != nil {
			return nil, err
		}
		timers, ok := at(now, "properties", "trigger", "timerTriggers").([]any)
		if !ok {
			return []any{}, nil
		}
		return timers, nil
	}}
}
