package sourcewatch_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
	"github.com/drydockhq/drydock/internal/sourcewatch"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

const poll = time.Minute

// bench is a watcher with a git host and a store, whose clock and whose steps
// the test makes.
type bench struct {
	*testing.T
	host    *hosttest.Host
	watcher *sourcewatch.Watcher
	store   *sqlstore.Store
	hooks   *httptest.Server
	task    drydock.ResourceID

	mu        sync.Mutex
	now       time.Time
	triggers  map[string]drydock.TaskTriggers // by key of the task
	request   drydock.RunRequest
	noRun     error // that TaskRun returns, if any
	unreached string
	asked     int
	changed   int
	away      error
	hangs     func(repository string) bool
	stale     map[string]string // refs as they are answered, if they are not those of the host
	canceled  []string
	log       strings.Builder
	cursor    int64
}

func newBench(t *testing.T, host *hosttest.Host) *bench {
	b := &bench{
		T: t, host: host, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), triggers: map[string]drydock.TaskTriggers{},
		request: drydock.RunRequest{Kind: drydock.FileTaskRun, TaskFile: "acr-task.yaml", Source: host.Repository + "#main:app", RegistryLogin: true},
	}
	host.AddToken("full", hosttest.Token{Scopes: []string{"repo", "write:repository", "vso.code", "vso.code_status", "api"}})
	var err error
	if b.store, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "drydock.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	group := drydock.ResourceID{Subscription: "s", Group: "g"}
	registry := group
	registry.Namespace, registry.Types, registry.Names = "Microsoft.ContainerRegistry", []string{"registries"}, []string{"contoso"}
	b.task = registry.Child("tasks", "app")
	for _, id := range []drydock.ResourceID{group, registry, b.task} {
		if _, err := b.store.PutResource(t.Context(), drydock.Resource{ID: id, Body: []byte("{}")}, ""); err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	b.hooks = httptest.NewServer(mux)
	t.Cleanup(b.hooks.Close)
	t.Cleanup(func() { host.Wait() })
	b.restart()
	mux.HandleFunc("POST /hooks/git/{id}", func(w http.ResponseWriter, r *http.Request) { b.watcher.Receive(w, r) })
	return b
}

// restart replaces the watcher, as a new start of the server does.
func (b *bench) restart() {
	b.watcher = &sourcewatch.Watcher{
		Tasks: b, Repositories: b, Store: b.store, Sealer: open{}, Poll: poll, NewSecret: rand.Text, Now: b.time,
		Hosts: githost.Options{HTTP: b.host.Client(), Now: b.time},
		HookURL: func(_ context.Context, _, id string) (string, string) {
			if b.unreached != "" {
				return "", b.unreached
			}
			return b.hooks.URL + "/hooks/git/" + id, ""
		},
		LogURL: func(link string) string { return "https://drydock.example/hooks/git/log/" + link },
		Cancel: b.cancel, Log: slog.New(slog.NewTextHandler((*lockedLog)(b), nil)),
	}
}

type lockedLog bench

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

// logged counts the lines of the log that have a text.
func (b *bench) logged(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for line := range strings.Lines(b.log.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// open stands for a sealer: it turns letters around.
type open struct{}

func (open) Seal(plain []byte, purpose string) []byte {
	return []byte(purpose + "\x00" + turned(string(plain)))
}

func (open) Open(sealed []byte, purpose string) ([]byte, error) {
	text, ok := strings.CutPrefix(string(sealed), purpose+"\x00")
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return []byte(turned(text)), nil
}

func turned(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 {
			return r ^ 1
		}
		return r
	}, text)
}

func (b *bench) time() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// Triggers implements sourcewatch.Tasks.
func (b *bench) Triggers(_ context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.triggers[task.Key()]
	if !ok {
		return t, drydock.Errorf(drydock.NotFound, "there is no task %s", task)
	}
	return t, nil
}

// TaskRun implements sourcewatch.Tasks.
func (b *bench) TaskRun(_ context.Context, task drydock.ResourceID, change func(*drydock.RunRequest)) (drydock.RunRecord, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.noRun != nil {
		return drydock.RunRecord{}, b.noRun
	}
	r := b.request
	change(&r)
	text, err := json.Marshal(r)
	return drydock.RunRecord{Registry: task.Parent(), Task: task.Name(), Type: drydock.AutoRun, Request: text, Created: b.now}, err
}

// Refs implements sourcewatch.Repositories.
func (b *bench) Refs(ctx context.Context, repository, token string, patterns ...string) (map[string]string, string, error) {
	if b.hangs != nil && b.hangs(repository) {
		<-ctx.Done()
		return nil, "", ctx.Err()
	}
	refs, standard := b.host.Refs()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.away != nil {
		return nil, "", b.away
	}
	if b.stale != nil {
		refs = b.stale
	}
	if token != "full" && token != "less" && token != "" {
		return nil, "", drydock.Errorf(drydock.Denied, "who are you")
	}
	got := map[string]string{standard: refs[standard]}
	for _, p := range patterns {
		for ref, commit := range refs {
			prefix, isPattern := strings.CutSuffix(p, "*")
			if ref == p || isPattern && strings.HasPrefix(ref, prefix) {
				got[ref] = commit
			}
		}
	}
	return got, standard, nil
}

// Changed implements sourcewatch.Repositories.
func (b *bench) Changed(_ context.Context, _, _, before, after string) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed++
	if before == "" || after == "" {
		return nil, errors.New("no commits")
	}
	return []string{"asked/for.txt"}, nil
}

func (b *bench) cancel(ctx context.Context, registry drydock.ResourceID, run string) error {
	_, err := b.store.UpdateRun(ctx, registry, run, func(r *drydock.RunRecord) error {
		if r.Status.Ended() {
			return drydock.Errorf(drydock.Conflict, "it has ended")
		}
		r.Status, r.Finished = drydock.RunCanceled, b.time()
		return nil
	})
	if err == nil {
		b.canceled = append(b.canceled, run)
	}
	return err
}

// source is a trigger on commits, and more by its changes.
func (b *bench) source(change ...func(*drydock.SourceTrigger)) drydock.SourceTrigger {
	s := drydock.SourceTrigger{
		Name: "src", Enabled: true, Repository: b.host.Repository + "#main:app", Branch: "main", Commit: true, Token: "full",
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

// put changes the triggers of the task; none delete it.
func (b *bench) put(sources ...drydock.SourceTrigger) {
	b.Helper()
	b.putTask(drydock.TaskTriggers{Task: b.task, Enabled: true, Source: sources})
}

func (b *bench) putTask(t drydock.TaskTriggers) {
	b.Helper()
	b.mu.Lock()
	b.triggers[t.Task.Key()] = t
	b.mu.Unlock()
	b.event(drydock.TaskChangedEvent, t.Task)
	b.settle()
}

func (b *bench) drop() {
	b.Helper()
	b.mu.Lock()
	delete(b.triggers, b.task.Key())
	b.mu.Unlock()
	b.event(drydock.TaskChangedEvent, b.task)
	b.settle()
}

func (b *bench) event(kind string, subject drydock.ResourceID) {
	b.Helper()
	if _, err := b.store.AppendEvent(b.Context(), drydock.Event{ID: rand.Text(), Kind: kind, Subject: subject, Time: b.time()}); err != nil {
		b.Fatal(err)
	}
}

// wait lets time pass.
func (b *bench) wait(d time.Duration) {
	b.Helper()
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
	b.settle()
}

// settle lets calls of webhooks, events and what is due be done until there is
// nothing more to do.
func (b *bench) settle() {
	b.Helper()
	for range 100 {
		if _, err := b.watcher.Step(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.host.Wait()
		if !b.handle() && !b.due() {
			return
		}
	}
	b.Fatal("it does not settle\n", b.log.String())
}

func (b *bench) due() bool {
	b.Helper()
	watches, err := b.store.FirstSourceWatches(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	statuses, err := b.store.FirstCommitStatuses(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	return len(watches) > 0 && !watches[0].Due.After(b.time()) || len(statuses) > 0 && !statuses[0].Due.After(b.time())
}

// handle handles new events, and reports whether there were any.
func (b *bench) handle() bool {
	b.Helper()
	events, err := b.store.Events(b.Context(), b.cursor, 100)
	if err != nil {
		b.Fatal(err)
	}
	if len(events) == 0 {
		return false
	}
	if err := b.store.Atomically(b.Context(), func(ctx context.Context) error {
		_, err := b.watcher.Handle(ctx, events)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	b.watcher.Handled()
	b.cursor = events[len(events)-1].Number
	return true
}

// watch returns the only watch.
func (b *bench) watch() drydock.SourceWatch {
	b.Helper()
	watches := b.watches()
	if len(watches) != 1 {
		b.Fatalf("there are watches %+v", watches)
	}
	return watches[0]
}

func (b *bench) watches() []drydock.SourceWatch {
	b.Helper()
	watches, err := b.store.SourceWatches(b.Context(), drydock.ResourceID{})
	if err != nil {
		b.Fatal(err)
	}
	return watches
}

// run is a run that was created.
type run struct {
	drydock.RunRecord
	source  *drydock.SourceTriggerDescriptor
	cause   *drydock.RunCause
	request drydock.RunRequest
}

// runs returns all runs, the oldest first.
func (b *bench) runs() []run {
	b.Helper()
	records, err := b.store.Runs(b.Context(), drydock.RunFilter{Registry: b.task.Parent()})
	if err != nil {
		b.Fatal(err)
	}
	runs := make([]run, len(records))
	for i, r := range records {
		got := run{RunRecord: r}
		t, err := drydock.ParseRunTrigger(r.Trigger)
		if err == nil {
			err = json.Unmarshal(r.Request, &got.request)
		}
		if err != nil {
			b.Fatal(err)
		}
		got.source, got.cause = t.Source, t.Cause
		runs[len(records)-1-i] = got
	}
	return runs
}

// built checks which commits were built, in their order.
func (b *bench) built(what string, commits ...string) []run {
	b.Helper()
	runs := b.runs()
	var got []string
	for _, r := range runs {
		got = append(got, r.source.CommitID)
	}
	if strings.Join(got, " ") != strings.Join(commits, " ") {
		b.Fatalf("%s: built %q, want %q\n%s", what, got, commits, b.log.String())
	}
	return runs
}

// end ends a run.
func (b *bench) end(id string, status drydock.RunStatus, result string) {
	b.Helper()
	_, err := b.store.UpdateRun(b.Context(), b.task.Parent(), id, func(r *drydock.RunRecord) error {
		r.Status, r.Started, r.Finished, r.Result = status, b.now, b.now.Add(34*time.Second), []byte(result)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.settle()
}
