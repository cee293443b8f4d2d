package timer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/dispatch"
	"github.com/drydockhq/drydock/internal/sqlstore"
	"github.com/drydockhq/drydock/internal/timer"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// world is a keeper on a real store, with tasks and a clock of the test.
type world struct {
	*timer.Keeper
	t        *testing.T
	store    *sqlstore.Store
	registry drydock.ResourceID

	created chan drydock.RunRecord // runs that were told of, as many as it takes

	mu    sync.Mutex
	now   time.Time
	tasks map[string]drydock.TaskTriggers // by name
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, store: s, now: start, tasks: map[string]drydock.TaskTriggers{}, created: make(chan drydock.RunRecord, 10)}
	group := drydock.ResourceID{Subscription: "s", Group: "g"}
	w.registry = drydock.ResourceID{Subscription: "s", Group: "g", Namespace: "Microsoft.ContainerRegistry", Types: []string{"registries"}, Names: []string{"contoso"}}
	w.put(group)
	w.put(w.registry)
	w.restart()
	return w
}

// restart replaces the keeper as a new start of the server does.
func (w *world) restart() {
	w.Keeper = &timer.Keeper{
		Tasks: w, Timers: w.store, Events: w.store, Runs: w.store, Store: w.store, Now: w.clock, Log: slog.New(slog.DiscardHandler),
	}
	c := &dispatch.Consumer{
		Name: "timers", Events: w.store, Store: w.store, Handle: w.Handle, Log: w.Log,
		Created: func(runs ...drydock.RunRecord) {
			for _, r := range runs {
				select {
				case w.created <- r:
				default:
				}
			}
		},
	}
	w.Follow = c.All
}

func (w *world) put(id drydock.ResourceID) {
	w.t.Helper()
	if _, err := w.store.PutResource(w.t.Context(), drydock.Resource{ID: id}, ""); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) set(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

func (w *world) pass(d time.Duration) { w.set(w.clock().Add(d)) }

// task creates or changes a task. Timers are "name schedule"; a "-" before the
// name disables one.
func (w *world) task(name string, timers ...string) {
	w.t.Helper()
	t := drydock.TaskTriggers{Task: w.registry.Child("tasks", name), Enabled: true, Changed: w.clock()}
	for _, text := range timers {
		name, schedule, _ := strings.Cut(text, " ")
		on, disabled := strings.CutPrefix(name, "-")
		t.Timers = append(t.Timers, drydock.TimerTrigger{Name: on, Enabled: !disabled, Schedule: schedule})
	}
	w.put(t.Task)
	w.change(t)
}

func (w *world) change(t drydock.TaskTriggers) {
	w.t.Helper()
	w.mu.Lock()
	w.tasks[t.Task.Name()] = t
	w.mu.Unlock()
	w.tell(drydock.TaskChangedEvent, t.Task)
}

func (w *world) tell(kind string, id drydock.ResourceID) {
	w.t.Helper()
	e := drydock.Event{ID: fmt.Sprint(kind, id.Key(), w.clock().UnixNano(), len(w.events())), Kind: kind, Subject: id, Time: w.clock()}
	if _, err := w.store.AppendEvent(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) events() []drydock.Event {
	w.t.Helper()
	all, err := w.store.Events(w.t.Context(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// pause holds or lets go the triggers of the registry.
func (w *world) pause(paused bool) {
	w.t.Helper()
	w.mu.Lock()
	for name, t := range w.tasks {
		t.Paused = paused
		w.tasks[name] = t
	}
	w.mu.Unlock()
	w.tell(drydock.TriggersChangedEvent, w.registry)
}

// Triggers, TimedTasks and TaskRun implement timer.Tasks.
func (w *world) Triggers(_ context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.tasks[task.Name()]
	if !ok {
		return drydock.TaskTriggers{}, drydock.Errorf(drydock.NotFound, "there is no task %s", task)
	}
	return t, nil
}

func (w *world) TimedTasks(context.Context, drydock.ResourceID) ([]drydock.ResourceID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []drydock.ResourceID
	for _, name := range slices.Sorted(maps.Keys(w.tasks)) {
		ids = append(ids, w.tasks[name].Task)
	}
	return ids, nil
}

func (w *world) TaskRun(_ context.Context, task drydock.ResourceID, _ func(*drydock.RunRequest)) (drydock.RunRecord, error) {
	return drydock.RunRecord{Registry: w.registry, Task: task.Name(), Type: drydock.AutoRun, Created: w.clock(), Updated: w.clock()}, nil
}

// step looks at the timers and returns when the next one is due.
func (w *world) step() string {
	w.t.Helper()
	next, err := w.Step(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if next.IsZero() {
		return "never"
	}
	return next.Format(time.DateTime)
}

// want checks the runs that there are since the last call: "task timer
// occurrence", each with a "+n" for occurrences that were missed.
func (w *world) want(what string, want ...string) {
	w.t.Helper()
	runs, err := w.store.Runs(w.t.Context(), drydock.RunFilter{Registry: w.registry, OnlyActive: true})
	if err != nil {
		w.t.Fatal(err)
	}
	got := []string{}
	for _, r := range runs {
		var t struct {
			TimerTrigger struct{ TimerTriggerName, ScheduleOccurrence string }
			Cause        drydock.RunCause
		}
		if err := json.Unmarshal(r.Trigger, &t); err != nil {
			w.t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, t.TimerTrigger.ScheduleOccurrence)
		if err != nil || !t.Cause.Time.Equal(at) || t.Cause.Event == 0 || !strings.HasPrefix(t.Cause.By, "timer "+t.TimerTrigger.TimerTriggerName) {
			w.t.Errorf("the trigger of %s is %s", r.ID, r.Trigger)
		}
		text := r.Task + " " + t.TimerTrigger.TimerTriggerName + " " + at.Format("15:04")
		for _, note := range t.Cause.Notes {
			_, n, _ := strings.Cut(note, "due ")
			n, _, _ = strings.Cut(n, " ")
			text += " +" + n
		}
		got = append(got, text)
		_, err = w.store.UpdateRun(w.t.Context(), w.registry, r.ID, func(r *drydock.RunRecord) error {
			r.Status = drydock.RunSucceeded
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: runs %q, want %q", what, got, want)
	}
}
