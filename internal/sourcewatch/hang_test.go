package sourcewatch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
	"github.com/drydockhq/drydock/internal/sourcewatch"
)

// hung makes tasks whose git host accepts and never answers.
func (b *bench) hung(tasks int) {
	b.Helper()
	for i := range tasks {
		id := b.task.Parent().Child("tasks", fmt.Sprint("hung", i))
		s := b.source(func(s *drydock.SourceTrigger) { s.Repository = fmt.Sprintf("https://hung.example/a/%d.git", i) })
		b.mu.Lock()
		b.triggers[id.Key()] = drydock.TaskTriggers{Task: id, Enabled: true, Source: []drydock.SourceTrigger{s}}
		b.mu.Unlock()
		b.event(drydock.TaskChangedEvent, id)
	}
}

// until waits for something that a watcher that runs does.
func (b *bench) until(what string, is func() bool) {
	b.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal(what, "\n", b.log.String())
		}
	}
}

// A host that never answers holds up nobody else: neither what is new, nor what
// is told by webhooks, nor what is polled.
func TestHostThatHangs(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	var asked atomic.Int64
	b.hangs = func(repository string) bool {
		if !strings.Contains(repository, "hung.example") {
			return false
		}
		asked.Add(1)
		return true
	}
	b.hung(100) // more than are read at once
	for b.handle() {
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.watcher.Run(ctx) }()
	defer func() { stop(); <-done }()
	b.until("nobody is asked", func() bool { return asked.Load() == 4 })

	commits := func(n int) func() bool {
		return func() bool { b.handle(); return len(b.runs()) == n }
	}
	b.host.Push("refs/heads/main") // which the host tells
	b.until("a webhook is held up", commits(1))

	other := b.task.Parent().Child("tasks", "other")
	b.mu.Lock()
	b.triggers[other.Key()] = drydock.TaskTriggers{Task: other, Enabled: true, Source: []drydock.SourceTrigger{b.source()}}
	b.mu.Unlock()
	b.event(drydock.TaskChangedEvent, other)
	b.handle()
	b.watcher.Wake()
	b.until("what is new is held up", func() bool {
		all, err := b.store.SourceWatches(t.Context(), other)
		return err == nil && len(all) == 1 && all[0].State == drydock.WatchWebhook
	})

	b.mu.Lock()
	b.now = b.now.Add(30 * poll)
	b.mu.Unlock()
	before := b.askedOf()
	b.watcher.Wake()
	b.until("a poll is held up", func() bool { return b.askedOf() > before })
	if n := asked.Load(); n != 4 {
		t.Errorf("the host that hangs was asked %d times at once", n)
	}
}

func (b *bench) askedOf() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// A look at a host that never answers ends, and is a failure.
func TestLookEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.watcher.Answer = 10 * time.Millisecond
	b.hangs = func(string) bool { return true }
	b.put(b.source())
	if w := b.watch(); w.Failures != 1 || !strings.Contains(w.Failure, "has not answered within 10ms") {
		t.Errorf("%+v", w)
	}
	// What it is like when it answers at last is where changes count from.
	b.hangs = nil
	b.wait(2 * poll)
	_, commit := b.host.Push("refs/heads/main")
	b.wait(2 * poll)
	b.built("after it has come back", commit)
}

// What was never looked at comes before what was told, and that before others.
func TestOrderOfLooks(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	told := b.watch()
	b.host.Push("refs/heads/main")
	b.host.Wait()
	b.hung(1)
	for b.handle() {
	}
	all, err := b.store.FirstSourceWatches(t.Context(), 10)
	if err != nil || len(all) != 2 || all[0].State != drydock.WatchNew || all[1].ID != told.ID || all[1].Due.After(b.time().Add(-time.Hour)) {
		t.Errorf("%+v, %v", all, err)
	}
}

// A look that fails because its task was deleted meanwhile is no error.
func TestDeletedWhileLookedAt(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	b.watcher.Answer = time.Millisecond
	b.hangs = func(string) bool {
		b.mu.Lock()
		delete(b.triggers, b.task.Key())
		b.mu.Unlock()
		b.event(drydock.TaskChangedEvent, b.task)
		b.handle()
		return true
	}
	b.wait(time.Hour)
	if len(b.watches()) > 0 || b.logged("level=ERROR") > 0 {
		t.Errorf("%+v\n%s", b.watches(), b.log.String())
	}
}

func TestRestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sourcewatch.Rest(ctx, time.Hour) // else the test ends by its time limit
}

// What was warned of a watch is forgotten with it.
func TestWarningsAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitea(t))
	b.host.AddToken("less", hosttest.Token{Scopes: []string{"read:repository"}, NotAdmin: true})
	b.put(b.source(func(s *drydock.SourceTrigger) { s.Token = "less" }))
	b.host.Push("refs/heads/main")
	b.wait(2 * poll)
	if b.logged("was not told") != 1 || b.watcher.Warned() != 2 {
		t.Fatalf("%d are remembered\n%s", b.watcher.Warned(), b.log.String())
	}
	b.drop()
	if n := b.watcher.Warned(); n != 0 {
		t.Errorf("%d are remembered", n)
	}
}

// A newer run that could not be stored after all cancels nothing.
func TestSupersededOnlyWhenStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source(func(s *drydock.SourceTrigger) { s.CancelSuperseded = true }))
	b.host.Push("refs/heads/main")
	b.settle()
	b.host.Push("refs/heads/main")
	b.host.Wait()
	if _, err := b.watcher.Step(t.Context()); err != nil { // writes the event
		t.Fatal(err)
	}
	events, err := b.store.Events(t.Context(), b.cursor, 100)
	if err != nil || len(events) == 0 {
		t.Fatal(events, err)
	}
	undone := errors.New("undone")
	if err := b.store.Atomically(t.Context(), func(ctx context.Context) error {
		if created, err := b.watcher.Handle(ctx, events); err != nil || len(created) != 1 {
			return fmt.Errorf("created %v: %w", created, err)
		}
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if _, err := b.watcher.Step(t.Context()); err != nil || len(b.canceled) > 0 || b.runs()[0].CancelRequested {
		t.Fatalf("canceled %v, %v", b.canceled, err)
	}
	b.settle()
	if got := strings.Join(b.canceled, " "); got != "ca1" {
		t.Errorf("canceled %s", got)
	}
}

// A server that is killed when it has stored a newer run and has not canceled the
// older one yet has stored that it is to.
func TestKilledBeforeSupersededIsCanceled(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source(func(s *drydock.SourceTrigger) { s.CancelSuperseded = true }))
	b.host.Push("refs/heads/main")
	b.settle()
	b.host.Push("refs/heads/main")
	b.host.Wait()
	if _, err := b.watcher.Step(t.Context()); err != nil { // writes the event
		t.Fatal(err)
	}
	if !b.handle() {
		t.Fatal("there is no event")
	}
	b.restart()
	b.settle()
	runs := b.runs()
	if len(runs) != 2 || !runs[0].CancelRequested || runs[1].CancelRequested || len(b.canceled) > 0 {
		t.Fatalf("%+v, canceled %v", runs, b.canceled)
	}
	if notes := strings.Join(runs[1].cause.Notes, ""); !strings.Contains(notes, "Run ca1, for an older commit, was canceled") {
		t.Errorf("notes %q", notes)
	}
}
