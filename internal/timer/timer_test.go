package timer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

func TestTimersFire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "quick */2 * * * *", "slow 0 6 * * *")
	w.task("b", "quick */2 * * * *")
	w.task("none")
	if next := w.step(); next != "2026-03-04 05:08:00" {
		t.Error(next)
	}
	w.want("a new timer and the past")
	w.pass(time.Minute)
	w.step()
	w.want("too early")
	w.set(time.Date(2026, 3, 4, 5, 8, 0, 0, time.UTC))
	if next := w.step(); next != "2026-03-04 05:10:00" {
		t.Error(next)
	}
	w.want("on time", "a quick 05:08", "b quick 05:08")
	w.step()
	w.want("again in the same minute")
	w.set(time.Date(2026, 3, 4, 6, 0, 0, 1, time.UTC))
	w.step()
	w.want("each timer of a task", "a quick 06:00 +25", "a slow 06:00", "b quick 06:00 +25")
}

func TestMissedOccurrencesFireOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "t1 0 * * * *")
	w.step()
	w.pass(3*time.Hour + time.Minute) // 08:07
	w.restart()
	if next := w.step(); next != "2026-03-04 09:00:00" {
		t.Error(next)
	}
	w.want("after three hours down", "a t1 08:00 +2")
	w.restart()
	w.step()
	w.want("after another start")
	w.set(start.AddDate(0, 0, 1))
	w.step()
	w.want("a clock that jumps", "a t1 05:00 +20")
}

// The event is written, and the server killed before anybody has made a run of
// it.
func TestKilledBetweenTickAndRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "t1 0 * * * *")
	w.step()
	w.pass(time.Hour)
	follow, calls := w.Follow, 0
	w.Follow = func(ctx context.Context) error {
		if calls++; calls == 1 {
			return follow(ctx)
		}
		return errors.New("killed")
	}
	if _, err := w.Step(t.Context()); err == nil {
		t.Fatal("no error")
	}
	w.want("before")
	w.restart()
	w.step()
	w.want("after", "a t1 06:00")
}

func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "t1 0 * * * *")
	w.step()
	w.pass(time.Hour)
	w.step()
	w.want("at six", "a t1 06:00")
	w.pass(-time.Hour)
	w.step()
	w.pass(time.Hour)
	w.step()
	w.want("at six again")
	w.pass(time.Hour)
	w.step()
	w.want("at seven", "a t1 07:00")

	w.pass(365 * 24 * time.Hour)
	w.step()
	w.want("a wrong clock", "a t1 07:00 +8759")
	w.pass(-365 * 24 * time.Hour)
	w.task("b", "t1 30 * * * *") // which is due before a
	w.step()
	w.want("set right")
	w.pass(time.Hour)
	w.step()
	w.want("an hour later", "a t1 08:00", "b t1 07:30")
}

func TestChangedTimersCountAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "t1 0 * * * *", "t2 0 * * * *")
	w.step()
	w.pass(10 * time.Minute)
	w.task("a", "t1 10 * * * *", "t3 0 5 * * *")
	if next := w.step(); next != "2026-03-05 05:00:00" && next != "2026-03-04 06:10:00" {
		t.Error(next)
	}
	w.want("for the past")
	w.pass(time.Hour)
	w.step()
	w.want("t2 is gone", "a t1 06:10")

	// Changed twice before anybody looks: what is read is newer than the first
	// event.
	w.task("b", "t1 0 0 * * *")
	w.pass(time.Hour)
	w.task("b", "t1 0 7 * * *")
	w.step()
	w.want("the last hour of another schedule", "a t1 07:10")
	// A change of something else leaves timers alone.
	w.pass(50 * time.Minute)
	w.task("a", "t1 10 * * * *", "t3 0 5 * * *")
	w.pass(15 * time.Minute)
	w.step()
	w.want("changed before it was due", "a t1 08:10")
}

func TestDisabledAndPausedDontPileUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "t1 0 * * * *", "-t2 0 * * * *")
	w.step()
	w.pass(time.Hour)
	w.step()
	w.want("only t1 is enabled", "a t1 06:00")

	w.pause(true)
	if next := w.step(); next != "never" {
		t.Error(next)
	}
	w.pass(5 * time.Hour)
	w.restart()
	w.step()
	w.pause(false)
	w.step()
	w.want("after a pause")
	w.pass(time.Hour)
	w.step()
	w.want("then", "a t1 12:00")

	w.task("a", "-t1 0 * * * *", "t2 0 * * * *")
	w.step()
	w.pass(2 * time.Hour)
	w.step()
	w.want("t1 is disabled", "a t2 14:00 +1")
	w.task("a", "t1 0 * * * *", "t2 0 * * * *")
	w.step()
	w.want("and enabled again")

	disabled := w.tasks["a"]
	disabled.Enabled = false
	w.change(disabled)
	w.pass(time.Hour)
	w.step()
	w.want("a disabled task")
}

// A timer that was due while it may start nothing any more.
func TestTickThatComesTooLate(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func(*world){
		"removed":  func(w *world) { w.task("a") },
		"disabled": func(w *world) { w.task("a", "-t1 0 * * * *") },
		"paused":   func(w *world) { w.pause(true) },
		"deleted":  func(w *world) { delete(w.tasks, "a") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.task("a", "t1 0 * * * *")
			w.step()
			w.pass(time.Hour)
			follow, calls := w.Follow, 0
			w.Follow = func(ctx context.Context) error {
				if calls++; calls == 2 {
					alter(w)
				}
				return follow(ctx)
			}
			w.step()
			w.want("no run")
		})
	}
}

func TestDeletedTaskTakesItsTimers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "t1 0 * * * *")
	w.step()
	if err := w.store.DeleteResource(t.Context(), w.tasks["a"].Task); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if next := w.step(); next != "never" {
		t.Error(next)
	}
	w.want("of a deleted task")
}

func TestScheduleThatCantBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "bad 0 0 30 2 *", "good 0 * * * *")
	if next := w.step(); next != "2026-03-04 06:00:00" {
		t.Error(next)
	}
}

func TestManyTimersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 250 {
		w.task("t"+string(rune('a'+i/26))+string(rune('a'+i%26)), "t1 0 * * * *")
	}
	w.step()
	w.pass(time.Hour)
	if next := w.step(); next != "2026-03-04 07:00:00" {
		t.Error(next)
	}
	runs, err := w.store.Runs(t.Context(), drydock.RunFilter{Registry: w.registry, Brief: true})
	if err != nil || len(runs) != 250 {
		t.Error(len(runs), err)
	}
}

// Run fires without being asked, and ends with its context.
func TestRunFollowsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Now = time.Now
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	w.now = time.Now().Add(-2 * time.Minute) // of the task's change
	w.task("a", "t1 * * * * *")
	select {
	case r := <-w.created:
		if r.Task != "a" {
			t.Errorf("a run of %s", r.Task)
		}
	case <-time.After(time.Minute):
		t.Error("no run")
	}
	cancel()
	<-ended
}

// A clock that was ahead by less than a day silences no timer, and what has
// occurred starts nothing once more.
func TestClockSomewhatAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.task("a", "t1 * * * * *")
	w.step()
	w.pass(time.Minute) // 05:07
	w.step()
	w.want("right", "a t1 05:07")
	w.pass(20 * time.Hour)
	w.step()
	w.want("ahead", "a t1 01:07 +1199")
	w.pass(-20*time.Hour - 2*time.Minute) // 05:05
	w.step()
	w.pass(2 * time.Minute)
	w.step()
	w.want("05:07 again")
	w.pass(time.Minute)
	w.step()
	w.want("right again", "a t1 05:08")
}
