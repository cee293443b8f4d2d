package sourcewatch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
	"github.com/drydockhq/drydock/internal/sourcewatch"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	for name, start := range hosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, start(t))
			b.put(b.source(func(s *drydock.SourceTrigger) { s.Paths, s.Pull = []string{"api", "asked/*"}, true }))
			b.host.Push("refs/heads/main", "web/app.js")
			b.settle()
			// Where the call does not tell of files, the repository is asked.
			asked := 0
			if b.host.Kind == "VisualStudioTeamService" {
				asked = 1
			}
			if len(b.runs()) != asked || b.changed != asked {
				t.Errorf("built %+v, asked %d times", b.runs(), b.changed)
			}
			_, one := b.host.Push("refs/heads/main", "docs/x.md", "api/main.go")
			b.settle()
			runs := b.runs()
			if len(runs) != asked+1 || runs[asked].source.CommitID != one {
				t.Fatalf("built %+v", runs)
			}
			b.host.OpenPull("docs", false, "docs/y.md")
			p := b.host.OpenPull("topic", false, "api/a/b/c.go")
			b.settle()
			if runs = b.runs(); len(runs) != asked+2 || runs[asked+1].source.CommitID != p.Commit {
				t.Errorf("built %+v", runs)
			}
			// What is found without a call is asked for.
			b.hooks.Config.Handler = http.NotFoundHandler()
			_, two := b.host.Push("refs/heads/main", "web/app.js")
			b.wait(13 * poll)
			if runs = b.runs(); len(runs) != asked+3 || runs[asked+2].source.CommitID != two {
				t.Errorf("built %+v", runs)
			}
		})
	}
}

func TestBranchesAndTags(t *testing.T) {
	t.Parallel()
	for branch, pushes := range map[string]map[string]bool{
		"":                  {"refs/heads/main": true, "refs/heads/dev": false, "refs/tags/v1": false},
		"dev":               {"refs/heads/main": false, "refs/heads/dev": true},
		"release/*":         {"refs/heads/release/1": true, "refs/heads/release/1/2": false, "refs/heads/main": false},
		"refs/tags/v*":      {"refs/tags/v1": true, "refs/tags/1": false, "refs/heads/v1": false},
		"refs/heads/**/fix": {"refs/heads/a/b/fix": true, "refs/heads/fix": true, "refs/heads/fixed": false},
	} {
		t.Run(branch, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, hosttest.NewGitea(t))
			b.put(b.source(func(s *drydock.SourceTrigger) { s.Branch, s.Repository = branch, b.host.Repository }))
			for ref, builds := range pushes {
				before := len(b.runs())
				_, commit := b.host.Push(ref)
				b.settle()
				runs := b.runs()
				if len(runs) != before && !builds || builds && (len(runs) != before+1 || runs[before].source.CommitID != commit) {
					t.Errorf("%s: built %+v", ref, runs)
				}
				// What is not of the task's own branch tells nothing of the task.
				if name := strings.TrimPrefix(ref, "refs/heads/"); builds && (runs[before].source.BranchName != name || runs[before].Altered != (name != "main")) {
					t.Errorf("%s: %+v, %t", ref, runs[before].source, runs[before].Altered)
				}
			}
		})
	}
}

// What the az client calls master is the branch that a run gets.
func TestDefaultBranchOfClients(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.request.Source = b.host.Repository
	b.put(b.source(func(s *drydock.SourceTrigger) { s.Branch, s.Repository = "master", b.host.Repository }))
	b.host.Push("refs/heads/master")
	_, commit := b.host.Push("refs/heads/main")
	b.settle()
	runs := b.built("the default branch", commit)
	if r := runs[0]; r.request.Source != b.host.Repository+"#"+commit || r.source.BranchName != "main" || r.Altered {
		t.Errorf("%+v, %+v, %t", r.request, r.source, r.Altered)
	}
}

func TestCancelSuperseded(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source(func(s *drydock.SourceTrigger) { s.CancelSuperseded, s.Pull, s.Branch = true, true, "*" }))
	push := func(ref string) { b.host.Push(ref); b.settle() }
	push("refs/heads/main")
	push("refs/heads/dev")
	p, q := b.host.OpenPull("main", false), b.host.OpenPull("dev", false)
	b.settle()
	if len(b.canceled) > 0 {
		t.Fatalf("canceled %v", b.canceled)
	}
	push("refs/heads/main")
	b.host.UpdatePull(p.Number)
	b.settle()
	b.end("ca2", drydock.RunSucceeded, "{}")
	push("refs/heads/dev") // nothing is left to cancel
	if got := strings.Join(b.canceled, " "); got != "ca1 ca3" || q.Number == "" {
		t.Errorf("canceled %s", got)
	}
	runs := b.runs()
	if notes := strings.Join(runs[4].cause.Notes, ""); !strings.Contains(notes, "Run ca1, for an older commit, was canceled") {
		t.Errorf("notes %q", notes)
	}
	if said := b.host.Statuses(runs[0].source.CommitID); len(said) == 0 || said[len(said)-1].State != drydock.CommitError {
		t.Errorf("said %+v", said)
	}
}

// What changes while triggers are held is built when they go on: its newest.
func TestPaused(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	paused := drydock.TaskTriggers{Task: b.task, Enabled: true, Paused: true, Source: []drydock.SourceTrigger{b.source(func(s *drydock.SourceTrigger) { s.Pull = true })}}
	going := paused
	going.Paused = false
	b.putTask(going)
	b.putTask(paused)
	b.host.Push("refs/heads/main")
	_, two := b.host.Push("refs/heads/main")
	p := b.host.OpenPull("topic", false)
	b.settle()
	b.wait(time.Hour)
	b.built("paused")
	b.mu.Lock()
	b.triggers[b.task.Key()] = going
	b.mu.Unlock()
	b.event(drydock.TriggersChangedEvent, b.task.Parent())
	b.settle()
	b.built("going on", two, p.Commit)
	// An event that is on its way when they are held is not lost either.
	b.host.Push("refs/heads/main")
	u := b.host.UpdatePull(p.Number)
	b.host.Wait()
	if _, err := b.watcher.Step(t.Context()); err != nil { // writes the events
		t.Fatal(err)
	}
	b.mu.Lock()
	b.triggers[b.task.Key()] = paused
	b.mu.Unlock()
	b.settle()
	_, four := b.host.Push("refs/heads/main")
	b.settle()
	b.built("held", two, p.Commit)
	b.putTask(going)
	b.event(drydock.TriggersChangedEvent, b.task.Parent())
	b.settle()
	b.built("going on again", two, p.Commit, four, u.Commit)
}

// A task that is disabled misses what happens meanwhile.
func TestDisabled(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	off := drydock.TaskTriggers{Task: b.task, Source: []drydock.SourceTrigger{b.source()}}
	b.putTask(off)
	b.host.Push("refs/heads/main")
	b.settle()
	b.put(b.source())
	b.wait(time.Hour)
	b.built("enabled again")
	_, commit := b.host.Push("refs/heads/main")
	b.settle()
	b.built("a push", commit)
	b.noRun = drydock.Errorf(drydock.Conflict, "the task is disabled")
	b.host.Push("refs/heads/main")
	b.settle()
	b.built("disabled at that moment", commit)
	b.put(b.source(func(s *drydock.SourceTrigger) { s.Enabled = false }))
	if len(b.host.Hooks()) > 0 || len(b.watches()) > 0 {
		t.Errorf("left are %v, %+v", b.host.Hooks(), b.watches())
	}
}

// What is changed at a trigger changes what is watched, and its webhook if need
// be. Nothing old is built because of that.
func TestTriggerChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.host.Push("refs/heads/dev")
	b.host.AddToken("other", hosttest.Token{Scopes: []string{"repo"}})
	b.put(b.source())
	first := b.watch()
	b.put(b.source(func(s *drydock.SourceTrigger) { s.Branch, s.Paths = "dev", nil }))
	b.wait(time.Hour)
	if w := b.watch(); w.ID != first.ID || w.Hook != first.Hook {
		t.Errorf("another webhook for another branch: %+v", w)
	}
	b.built("another branch")
	_, commit := b.host.Push("refs/heads/dev")
	b.settle()
	b.built("a push to it", commit)
	for name, change := range map[string]func(*drydock.SourceTrigger){
		"token":  func(s *drydock.SourceTrigger) { s.Token = "less" },
		"events": func(s *drydock.SourceTrigger) { s.Pull = true },
		"name":   func(s *drydock.SourceTrigger) { s.Name = "renamed" },
	} {
		b.host.AddToken("less", hosttest.Token{Scopes: []string{"repo"}})
		before := b.watch()
		b.put(b.source(change))
		if w := b.watch(); w.ID == before.ID || len(b.host.Hooks()) != 1 || !strings.Contains(b.host.Hooks()[0], w.ID) {
			t.Errorf("%s: %+v, %v", name, w, b.host.Hooks())
		}
	}
	b.wait(time.Hour)
	b.built("after all that", commit)
}

// Each trigger has a webhook of its own; where the host gives no more of them,
// the repository is polled, once for all.
func TestManyTasks(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	const tasks = 25
	for i := range tasks {
		id := b.task.Parent().Child("tasks", fmt.Sprint("app", i))
		b.mu.Lock()
		b.triggers[id.Key()] = drydock.TaskTriggers{Task: id, Enabled: true, Source: []drydock.SourceTrigger{b.source()}}
		b.mu.Unlock()
		b.event(drydock.TaskChangedEvent, id)
	}
	b.settle()
	hooks := 0
	for _, w := range b.watches() {
		if w.State == drydock.WatchWebhook {
			hooks++
		} else if !strings.Contains(w.Problem, "more than 20 hooks") {
			t.Errorf("%+v", w)
		}
	}
	if hooks != 20 || len(b.host.Hooks()) != 20 {
		t.Errorf("%d webhooks", hooks)
	}
	asked := b.asked
	b.host.Push("refs/heads/main")
	b.wait(2 * poll)
	if runs := b.runs(); len(runs) != tasks {
		t.Errorf("%d runs", len(runs))
	}
	t.Logf("%d tasks asked %d times", tasks, b.asked-asked)
}

func TestCredentialsInTheURL(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	secret := strings.Replace(b.host.Repository, "http://", "http://pat:full@", 1) + "#main:app"
	b.request.Source = secret
	b.put(b.source(func(s *drydock.SourceTrigger) { s.Repository, s.Token = secret, "" }))
	w := b.watch()
	if w.State != drydock.WatchWebhook || strings.Contains(w.Repository, "full") || strings.Contains(string(w.Secrets), "full") {
		t.Errorf("%+v", w)
	}
	_, commit := b.host.Push("refs/heads/main")
	b.settle()
	r := b.built("a push", commit)[0]
	if r.request.Source != strings.Replace(secret, "#main", "#"+commit, 1) || strings.Contains(string(r.Trigger), "full") {
		t.Errorf("%s, %s", r.request.Source, r.Trigger)
	}
	if n := b.logged("full@"); n > 0 {
		t.Errorf("the log holds the token")
	}
}

func TestTokensOfURLs(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]string{
		"":                   "",
		"PAT@":               "PAT",
		"PAT:@":              "PAT",
		"PAT:x-oauth-basic@": "PAT",
		"me:PAT@":            "PAT",
		":PAT@":              "PAT",
		"contoso@":           "", // as Azure DevOps shows its URLs
		"Contoso:PAT@":       "PAT",
		"git@":               "",
	} {
		s := &drydock.SourceTrigger{Repository: "https://" + user + "dev.azure.com/contoso/p/_git/r#main"}
		repository, token := sourcewatch.Apart(s)
		if repository != "https://dev.azure.com/contoso/p/_git/r" || token != want {
			t.Errorf("%q: %s, %q", user, repository, token)
		}
		s.Token = "given"
		if _, token := sourcewatch.Apart(s); token != "given" {
			t.Errorf("%q, and a token that is given: %q", user, token)
		}
	}
}

// A repository that is not the one that a run is made from starts runs too, of
// what that is.
func TestAnotherSource(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.request.Source = "https://git.example/other.git#main"
	b.put(b.source())
	_, commit := b.host.Push("refs/heads/main")
	b.settle()
	if r := b.built("a push", commit)[0]; r.request.Source != b.request.Source || r.request.SourceRef != "" {
		t.Errorf("%+v", r.request)
	}
}

func TestNoSuchTrigger(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source(func(s *drydock.SourceTrigger) { s.Paths = []string{"["} }))
	if len(b.watches()) > 0 || b.logged("can't be watched") != 1 {
		t.Errorf("%+v\n%s", b.watches(), b.log.String())
	}
	resp, err := http.Post(b.hooks.URL+"/hooks/git/nobody", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
}

// The git host is told again when it was away, and not for ever.
func TestStatusesAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	away := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	_, commit := b.host.Push("refs/heads/main")
	b.host.Wait()
	b.host.Refuse(away)
	b.settle()
	b.wait(3 * time.Second)
	b.end("ca1", drydock.RunFailed, "")
	if said := b.host.Statuses(commit); len(said) > 0 {
		t.Fatalf("said %+v", said)
	}
	b.host.Refuse(nil)
	b.wait(time.Minute)
	if said := b.host.Statuses(commit); len(said) != 1 || said[0].State != drydock.CommitFailure || said[0].Text != "Run ca1 failed after 34s" {
		t.Errorf("said %+v", said)
	}
	_, commit = b.host.Push("refs/heads/main")
	b.host.Wait()
	b.host.Refuse(away)
	b.settle()
	for range 20 {
		b.wait(10 * time.Minute)
	}
	b.host.Refuse(nil)
	b.wait(time.Hour)
	if said := b.host.Statuses(commit); len(said) > 0 || b.logged("was not told") != 1 {
		t.Errorf("said %+v\n%s", said, b.log.String())
	}
}

// A server that is killed anywhere on the way builds each commit once.
func TestKilled(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	// After the call was taken, and before anybody looked.
	_, one := b.host.Push("refs/heads/main")
	b.host.Wait()
	b.restart()
	b.settle()
	b.built("after the call", one)
	// After the event was written, and before it was handled.
	_, two := b.host.Push("refs/heads/main")
	b.host.Wait()
	if _, err := b.watcher.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.settle()
	b.built("after the event", one, two)
	// While the event was handled: what was written is undone.
	_, three := b.host.Push("refs/heads/main")
	b.host.Wait()
	if _, err := b.watcher.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := b.store.Events(t.Context(), b.cursor, 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("events %+v, %v", events, err)
	}
	killed := errors.New("killed")
	err = b.store.Atomically(t.Context(), func(ctx context.Context) error {
		if created, err := b.watcher.Handle(ctx, events); err != nil || len(created) != 1 {
			t.Errorf("created %+v, %v", created, err)
		}
		return killed
	})
	if !errors.Is(err, killed) {
		t.Error(err)
	}
	b.restart()
	b.settle()
	b.built("while it was handled", one, two, three)
	// While the server was down.
	b.hooks.Config.Handler = http.NotFoundHandler()
	_, four := b.host.Push("refs/heads/main")
	b.restart()
	b.wait(13 * poll)
	b.built("while it was down", one, two, three, four)
	if hooks := b.host.Hooks(); len(hooks) != 1 {
		t.Errorf("webhooks %v", hooks)
	}
}

// A clock that jumps back or forth loses nothing and starts nothing twice.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	b.hooks.Config.Handler = http.NotFoundHandler()
	b.wait(-2 * time.Hour)
	_, one := b.host.Push("refs/heads/main")
	b.wait(13 * poll)
	b.built("two hours back", one)
	b.wait(time.Hour)
	b.built("one forth", one)
	_, two := b.host.Push("refs/heads/main")
	b.wait(13 * poll)
	b.built("and on", one, two)
}

// A webhook that was made and not noted is replaced, and one whose task went
// meanwhile goes too.
func TestKilledWhileArming(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	w := b.watch()
	w.State, w.Hook, w.Due = drydock.WatchNew, "", b.time()
	w, err := b.store.PutSourceWatch(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.settle()
	if hooks, now := b.host.Hooks(), b.watch(); len(hooks) != 1 || now.State != drydock.WatchWebhook || now.Hook == "1" {
		t.Errorf("webhooks %v, %+v", hooks, now)
	}
	w = b.watch()
	w.Hook = ""
	if _, err := b.store.PutSourceWatch(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	b.drop()
	if hooks := b.host.Hooks(); len(hooks) > 0 {
		t.Errorf("left are %v", hooks)
	}
}
