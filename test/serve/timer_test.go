package serve_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
	"github.com/drydockhq/drydock/test/serve"
)

// timers waits until so many timers are armed on a server's data, and returns
// the store, which is closed with the test.
func timers(t *testing.T, s *serve.Server, n int) (*sqlstore.Store, []drydock.Timer) {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(s.Data, "drydock.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		armed, err := store.Timers(t.Context(), drydock.ResourceID{})
		if err != nil {
			t.Fatal(err)
		}
		if len(armed) == n {
			return store, armed
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d timers are armed, not %d", len(armed), n)
		}
	}
}

// timedRun is a run that a timer has started.
type timedRun struct {
	Status       string
	TimerTrigger struct{ TimerTriggerName, ScheduleOccurrence string }
	Cause        drydock.RunCause
}

// timedRuns waits until nightly has so many runs, and all have succeeded.
func timedRuns(t *testing.T, c *serve.Client, n int) []timedRun {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var runs []timedRun
		if err := json.Unmarshal([]byte(c.Must("acr", "task", "list-runs", "-r", "contoso", "-n", "nightly")), &runs); err != nil {
			t.Fatal(err)
		}
		ended := 0
		for _, r := range runs {
			if r.Status == "Succeeded" {
				ended++
			}
		}
		if ended == n && len(runs) == n {
			return runs
		}
		if time.Now().After(deadline) || len(runs) > n {
			t.Fatalf("%d runs, %d of them succeeded, want %d", len(runs), ended, n)
		}
	}
}

// Timers that were due several times while the server was down start one run
// each when it is there again, and no other one after that.
func TestTimersAfterTheServerWasDown(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Args: []string{hub(t)}})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	c.Must("acr", "task", "create", "-r", "contoso", "-n", "nightly", "--cmd", "busybox echo hello", "-c", "/dev/null",
		"--base-image-trigger-enabled", "false", "--schedule", "0 0 1 Jan *", "--schedule", "noon:0 12 1 1 *")
	timer := func(args ...string) (string, string, int) {
		return c.Run(append([]string{"acr", "task", "timer"}, append(args, "-r", "contoso", "-n", "nightly")...)...)
	}
	if _, said, status := timer("add", "--timer-name", "never", "--schedule", "0 0 31 Feb-Jun/2 *"); status != 1 || !strings.Contains(said, "(InvalidTimerTrigger)") {
		t.Errorf("exit status %d: %s", status, said)
	}
	for _, args := range [][]string{
		{"add", "--timer-name", "evening", "--schedule", "0 18 1 1 *"},
		{"add", "--timer-name", "gone", "--schedule", "0 19 1 1 *"},
		{"update", "--timer-name", "noon", "--enabled", "false"},
		{"remove", "--timer-name", "gone"},
	} {
		if _, said, status := timer(args...); status != 0 {
			t.Fatalf("%v: exit status %d: %s", args, status, said)
		}
	}
	if got, _, _ := timer("list", "--query", "[].[name, schedule, status]", "-o", "tsv"); got != "t1\t0 0 1 Jan *\tEnabled\nnoon\t0 12 1 1 *\tDisabled\nevening\t0 18 1 1 *\tEnabled\n" {
		t.Errorf("the timers are\n%s", got)
	}
	for _, tag := range []string{"v1", "v2"} {
		c.Must("acr", "import", "-n", "contoso", "--source", "docker.io/library/busybox", "-t", "team/hello:"+tag)
	}
	c.Must("acr", "task", "create", "-r", "contoso", "-n", "weekly", "--cmd", "acr purge --filter 'team/.*:.*' --ago 0d --keep 1", "-c", "/dev/null", "--schedule", "0 1 1 1 *")
	store, armed := timers(t, s, 3)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, timer := range armed {
		if timer.Next.Month() != time.January || timer.Since.After(time.Now()) {
			t.Errorf("%+v", timer)
		}
		timer.Since = timer.Next.AddDate(-4, 0, 1) // as if it were down for three years
		timer.Next = timer.Next.AddDate(-3, 0, 0)
		if err := store.PutTimer(t.Context(), timer); err != nil {
			t.Fatal(err)
		}
	}
	s.Restart()
	c.Until("Succeeded\tt1", "acr", "task", "list-runs", "-r", "contoso", "-n", "weekly", "--query", "[].[status, timerTrigger.timerTriggerName]", "-o", "tsv")
	if tags := c.Must("acr", "repository", "show-tags", "-n", "contoso", "--repository", "team/hello", "-o", "tsv"); tags != "v2\n" {
		t.Errorf("after the purge that was due the tags are %q", tags)
	}
	for _, r := range timedRuns(t, c, 2) {
		year := time.Now().UTC().Format("2006")
		if at := r.TimerTrigger.ScheduleOccurrence; at != year+"-01-01T00:00:00Z" && at != year+"-01-01T18:00:00Z" {
			t.Errorf("%+v", r.TimerTrigger)
		}
		if len(r.Cause.Notes) != 1 || !strings.Contains(r.Cause.Notes[0], "was due 2 more times before that while no server told the time") {
			t.Errorf("%+v", r.Cause)
		}
	}
	if got := c.Must("acr", "task", "list-runs", "-r", "contoso", "-o", "table"); len(regexp.MustCompile(`nightly +linux +Succeeded +Timer +\d{4}-`).FindAllString(got, -1)) != 2 {
		t.Errorf("the runs are\n%s", got)
	}
	if got := c.Must("acr", "task", "why", "ca1", "-r", "contoso"); !strings.Contains(got, "Trigger: Timer. The timer ") || !strings.Contains(got, "2 more times") {
		t.Error(got)
	}
	s.Kill()
	s.Restart()
	c.Must("acr", "task", "run", "-r", "contoso", "-n", "nightly", "--no-logs") // what is due is queued before it
	if got := c.Must("acr", "task", "list-runs", "-r", "contoso", "--query", "length(@)"); got != "4\n" {
		t.Errorf("there are %s runs", got)
	}
}
