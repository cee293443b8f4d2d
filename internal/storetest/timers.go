package storetest

import (
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var timerTests = map[string]func(*testing.T, Store){
	"kept":      timerKept,
	"first":     timerFirst,
	"with task": timerWithTask,
}

func task(t *testing.T, s Store, registry drydock.ResourceID, name string) drydock.ResourceID {
	t.Helper()
	id := registry.Child("tasks", name)
	put(t, s, drydock.Resource{ID: id})
	return id
}

func timerKept(t *testing.T, s Store) {
	putRegistries(t, s)
	one, two := task(t, s, registry, "One"), task(t, s, registry, "one-more")
	a := drydock.Timer{Task: one, Name: "a", Schedule: "* * * * *", Since: day, Next: day.Add(time.Minute)}
	b, c := a, a
	b.Name, b.Schedule = "B", "0 * * * *"
	c.Task = two
	for _, timer := range []drydock.Timer{a, c, b} {
		check(t, s.PutTimer(t.Context(), timer))
	}
	a.Schedule, a.Since, a.Next = "0 0 * * *", day.Add(time.Hour), day.Add(2*time.Hour)
	check(t, s.PutTimer(t.Context(), a))
	timers := func(what string, below drydock.ResourceID, want ...drydock.Timer) {
		t.Helper()
		got, err := s.Timers(t.Context(), below)
		check(t, err)
		same(t, what, got, want)
	}
	timers("those of a task", one, b, a)
	timers("those of the other", two, c)
	timers("those of the registry", registry, b, a, c)
	timers("those of another registry", other)
	timers("all", drydock.ResourceID{}, b, a, c)
	check(t, s.DeleteTimer(t.Context(), one, "b")) // there is none
	check(t, s.DeleteTimer(t.Context(), one, "B"))
	timers("those that are left", drydock.ResourceID{}, a, c)
}

func timerFirst(t *testing.T, s Store) {
	putRegistries(t, s)
	id := task(t, s, registry, "nightly")
	var timers []drydock.Timer
	for i, name := range []string{"c", "a", "b"} {
		timer := drydock.Timer{Task: id, Name: name, Since: day, Next: day.Add(time.Duration(i) * time.Hour)}
		timers = append(timers, timer)
	}
	for _, i := range []int{2, 0, 1} {
		check(t, s.PutTimer(t.Context(), timers[i]))
	}
	got, err := s.FirstTimers(t.Context(), 2)
	check(t, err)
	same(t, "the first two", got, timers[:2])
}

func timerWithTask(t *testing.T, s Store) {
	putRegistries(t, s)
	id := task(t, s, registry, "nightly")
	timer := drydock.Timer{Task: id, Name: "t1", Since: day, Next: day}
	check(t, s.PutTimer(t.Context(), timer))
	check(t, s.DeleteResource(t.Context(), id))
	got, err := s.FirstTimers(t.Context(), 10)
	check(t, err)
	same(t, "after the task", got, nil)
	wantCode(t, "a timer of no task", s.PutTimer(t.Context(), timer), drydock.NotFound)
}
