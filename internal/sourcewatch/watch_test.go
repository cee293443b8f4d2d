package sourcewatch_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
)

var hosts = map[string]func(testing.TB) *hosttest.Host{
	"github.com": hosttest.NewGitHubCom, "GitHub Enterprise": hosttest.NewGitHub, "Azure DevOps": hosttest.NewAzure,
	"Gitea": hosttest.NewGitea, "GitLab": hosttest.NewGitLab,
}

// On each host a push starts a run at once, which the host is told of, and the
// webhook goes with the task.
func TestCommits(t *testing.T) {
	t.Parallel()
	for name, start := range hosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, start(t))
			b.put(b.source())
			if w := b.watch(); w.State != drydock.WatchWebhook || w.Provider != string(b.host.Kind) || w.Problem != "" || w.Hook == "" {
				t.Fatalf("%+v\n%s", w, b.log.String())
			}
			b.built("before")
			_, one := b.host.Push("refs/heads/main", "a")
			_, two := b.host.Push("refs/heads/main", "b") // both at once: the newest is built
			b.host.Push("refs/heads/dev", "c")
			b.settle()
			runs := b.built("a push", two)
			r := runs[0]
			if r.request.Source != strings.TrimSuffix(b.host.Repository, "#")+"#"+two+":app" || r.request.Untrusted || !r.request.RegistryLogin || r.Altered {
				t.Errorf("%+v, %t", r.request, r.Altered)
			}
			s := r.source
			if s.EventType != "Commit" || s.BranchName != "main" || s.ProviderType != string(b.host.Kind) || s.PullRequestID != "" ||
				strings.Contains(s.RepositoryURL, "#") || s.ID == "" || r.cause.Event == 0 || !strings.HasPrefix(r.cause.By, "a push to main by pat") {
				t.Errorf("%+v, %+v", s, r.cause)
			}
			b.end(r.ID, drydock.RunSucceeded, "{}")
			said := b.host.Statuses(two)
			if len(said) != 2 || said[0].State != drydock.CommitPending || said[1].State != drydock.CommitSuccess ||
				said[0].Context != "drydock/contoso/app" || said[1].Text != "Run ca1 succeeded in 34s." || said[0].URL != said[1].URL ||
				!strings.HasPrefix(said[0].URL, "https://drydock.example/hooks/git/log/") {
				t.Errorf("said %+v", said)
			}
			if said := b.host.Statuses(one); len(said) > 0 {
				t.Errorf("of the commit that was not built: %+v", said)
			}
			b.drop()
			if hooks := b.host.Hooks(); len(hooks) > 0 || len(b.watches()) > 0 {
				t.Errorf("left are %v, %+v", hooks, b.watches())
			}
		})
	}
}

// What calls say does not matter, but what the repository is like.
func TestCallsTwiceLateAndForged(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	start, one := b.host.Push("refs/heads/main")
	b.settle()
	_, two := b.host.Push("refs/heads/main")
	b.settle()
	b.built("two pushes", one, two)
	calls := b.host.Wait()
	for _, c := range calls { // again, the oldest last
		defer func() {
			if status := c.Again(); status != http.StatusNotFound {
				t.Errorf("a call after the task is gone is answered with %d", status)
			}
		}()
		if status := c.Again(); status != http.StatusAccepted {
			t.Errorf("a second call is answered with %d", status)
		}
	}
	for i := range calls {
		calls[len(calls)-1-i].Again()
	}
	b.settle()
	b.built("calls again", one, two)
	for _, c := range calls {
		if status := c.Forged(); status != http.StatusUnauthorized {
			t.Errorf("a forged call is answered with %d", status)
		}
	}
	b.settle()
	b.built("forged calls", one, two)
	// Back, and forth again: each is a change.
	b.host.Set("refs/heads/main", one)
	b.settle()
	b.host.Set("refs/heads/main", two)
	b.settle()
	b.host.Set("refs/heads/main", start)
	b.settle()
	b.built("back and forth", one, two, one, two, start)
	b.host.Set("refs/heads/main", "")
	b.settle()
	b.built("deleted", one, two, one, two, start)
	b.drop()
}

func TestLargeCalls(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	url := b.host.Hooks()[0]
	for _, size := range []int{1<<20 + 1, 10 << 20} {
		for _, chunked := range []bool{false, true} {
			r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				t.Fatal(err)
			}
			if chunked {
				r.ContentLength = -1
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				continue // it hung up before all was sent
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%d bytes: %s", size, resp.Status)
			}
		}
	}
	if n := b.logged("too large"); n != 4 {
		t.Errorf("logged %d times", n)
	}
	// A push that is too large to tell of is seen all the same.
	_, commit := b.host.Push("refs/heads/main", strings.Repeat("x", 1<<20))
	b.settle()
	b.built("at once")
	b.wait(13 * poll)
	b.built("later", commit)
}

// An answer that is older than the call is no reason to miss a change.
func TestOldAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitea(t))
	b.put(b.source())
	b.stale, _ = b.host.Refs()
	_, commit := b.host.Push("refs/heads/main")
	b.settle()
	b.built("an old answer")
	b.stale = nil
	b.wait(3 * time.Second)
	b.built("a new one", commit)
}

func TestPulls(t *testing.T) {
	t.Parallel()
	for name, start := range hosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, start(t))
			old := b.host.OpenPull("old", false)
			b.request.Values = []drydock.RunValue{{Name: "open", Value: "x"}, {Name: "hush", Value: "s3cret", Secret: true}}
			b.put(b.source(func(s *drydock.SourceTrigger) { s.Pull, s.Commit = true, false }))
			p := b.host.OpenPull("topic", false)
			b.settle()
			b.host.EditPull(p.Number)
			b.host.Push("refs/heads/main")
			b.settle()
			runs := b.built("opened", p.Commit)
			r := runs[0]
			if s := r.source; s.EventType != "Pull Request" || s.PullRequestID != p.Number || s.BranchName != "topic" {
				t.Errorf("%+v", s)
			}
			if !strings.Contains(r.request.Source, "#"+p.Commit+":app") || r.request.SourceRef == "" || r.request.Untrusted || len(r.request.Values) != 2 || !r.Altered {
				t.Errorf("%+v, %t", r.request, r.Altered)
			}
			updated := b.host.UpdatePull(p.Number)
			b.settle()
			b.built("updated", p.Commit, updated.Commit)
			later := b.host.UpdatePull(old.Number)
			b.settle()
			b.built("one that was there before", p.Commit, updated.Commit, later.Commit)
			b.host.ClosePull(p.Number)
			b.settle()
			fork := b.host.OpenPull("main", true)
			b.settle()
			runs = b.built("closed, and one from a fork", p.Commit, updated.Commit, later.Commit, fork.Commit)
			r = runs[3]
			if !r.request.Untrusted || r.request.RegistryLogin || len(r.request.Values) != 1 || !strings.Contains(strings.Join(r.cause.Notes, ""), "no secrets") {
				t.Errorf("%+v, %+v", r.request, r.cause)
			}
			b.end(r.ID, drydock.RunFailed, `{"runErrorMessage":"step a failed: exit status 1\nmore"}`)
			said := b.host.Statuses(fork.Commit)
			if len(said) != 2 || said[1].State != drydock.CommitFailure || said[1].Text != "Run ca4 failed after 34s: step a failed: exit status 1" {
				t.Errorf("said %+v", said)
			}
			b.put(b.source(func(s *drydock.SourceTrigger) { s.Pull, s.ForkSecrets = true, true }))
			fork = b.host.UpdatePull(fork.Number)
			b.settle()
			all := b.runs()
			if r = all[len(all)-1]; r.source.CommitID != fork.Commit || r.request.Untrusted || len(r.request.Values) != 2 {
				t.Errorf("%+v", r.request)
			}
		})
	}
}

// With exactly the scopes that ACR's documentation asks for, GitHub lets nobody
// make webhooks: one warning, and everything else goes on.
func TestTokenThatMayNot(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *hosttest.Host{
		"github.com": hosttest.NewGitHubCom, "Gitea": hosttest.NewGitea, "Azure DevOps": hosttest.NewAzure,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, start(t))
			b.host.AddToken("less", hosttest.Token{Scopes: []string{"repo:status", "public_repo", "read:repository", "vso.code"}, NotAdmin: true})
			b.put(b.source(func(s *drydock.SourceTrigger) { s.Token, s.Pull = "less", true }))
			w := b.watch()
			if w.State != drydock.WatchPolling || !strings.Contains(w.Problem, "polled instead") || len(b.host.Hooks()) > 0 {
				t.Fatalf("%+v", w)
			}
			_, commit := b.host.Push("refs/heads/main")
			p := b.host.OpenPull("topic", false)
			b.settle()
			b.built("not yet")
			for range 10 {
				b.wait(2 * poll)
			}
			b.built("polled", commit, p.Commit)
			if n := b.logged("polled instead"); n != 1 {
				t.Errorf("warned %d times\n%s", n, b.log.String())
			}
			said := b.host.Statuses(commit)
			if want := map[githost.Kind]int{githost.GitHub: 1}[b.host.Kind]; len(said) != want {
				t.Errorf("said %+v", said)
			}
			if n, want := b.logged("was not told"), map[githost.Kind]int{githost.Gitea: 1, githost.AzureDevOps: 1}[b.host.Kind]; n != want {
				t.Errorf("warned %d times of statuses\n%s", n, b.log.String())
			}
			// Somebody mends the token at the host.
			b.host.AddToken("less", hosttest.Token{Scopes: []string{"repo", "write:repository", "vso.code"}})
			b.wait(25 * time.Hour)
			if w := b.watch(); w.State != drydock.WatchWebhook || w.Problem != "" || len(b.host.Hooks()) == 0 {
				t.Errorf("%+v", w)
			}
		})
	}
}

func TestUnreachableServer(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.unreached = "set public-url"
	b.put(b.source())
	if w := b.watch(); w.State != drydock.WatchPolling || !strings.Contains(w.Problem, "set public-url") {
		t.Fatalf("%+v", w)
	}
	_, commit := b.host.Push("refs/heads/main")
	b.wait(2 * poll)
	b.built("polled", commit)
	b.wait(48 * time.Hour)
	if n := b.logged("set public-url"); n != 1 || len(b.host.Hooks()) > 0 {
		t.Errorf("warned %d times", n)
	}
}

// A webhook that never comes is said once, and missed by nobody.
func TestWebhookThatIsNotDelivered(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	url := b.hooks.URL
	b.hooks.Config.Handler = http.NotFoundHandler() // as a firewall, which answers
	var want []string
	for range 3 {
		_, commit := b.host.Push("refs/heads/main")
		want = append(want, commit)
		b.wait(13 * poll)
		b.built("polled", want...)
	}
	b.wait(2 * poll)
	if w := b.watch(); w.State != drydock.WatchWebhook || !strings.Contains(w.Problem, "has not called") {
		t.Errorf("%+v", w)
	}
	if n := b.logged("has not called"); n != 1 {
		t.Errorf("warned %d times\n%s", n, b.log.String())
	}
	_, commit := b.host.Push("refs/heads/main")
	b.wait(2 * poll) // it is polled more often now
	b.built("polled soon", append(want, commit)...)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks/git/{id}", b.watcher.Receive)
	b.hooks.Config.Handler = mux
	b.host.Push("refs/heads/main")
	b.settle()
	if w := b.watch(); w.Problem != "" || w.Delivered.IsZero() || url == "" {
		t.Errorf("%+v", w)
	}
}

func TestRepositoryAway(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	b.away = drydock.Errorf(drydock.Unavailable, "no route to host")
	_, commit := b.host.Push("refs/heads/main")
	b.settle()
	if w := b.watch(); w.Failures != 1 || !strings.Contains(w.Failure, "no route") {
		t.Errorf("%+v", w)
	}
	asked := b.asked
	for range 60 {
		b.wait(time.Minute)
	}
	if n := b.asked - asked; n > 12 {
		t.Errorf("asked %d times in an hour", n)
	}
	if n := b.logged("no route"); n != 1 {
		t.Errorf("warned %d times", n)
	}
	b.away = nil
	b.wait(longest)
	b.built("it is there again", commit)
	if w := b.watch(); w.Failures != 0 || w.Failure != "" {
		t.Errorf("%+v", w)
	}
}

const longest = 40 * time.Minute

// The API of a host wants to be left alone for a while.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.unreached = "nowhere"
	b.put(b.source(func(s *drydock.SourceTrigger) { s.Pull = true }))
	b.host.Refuse(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	b.wait(2 * poll)
	asked := len(b.host.Asked())
	for range 11 {
		b.wait(10 * time.Minute)
	}
	if n := len(b.host.Asked()) - asked; n > 0 {
		t.Errorf("asked %d times meanwhile", n)
	}
	b.host.Refuse(nil)
	p := b.host.OpenPull("topic", false)
	b.wait(20 * time.Minute)
	b.built("after it", p.Commit)
}

// A host that is away when a task is deleted is told later.
func TestHostAwayAtTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.put(b.source())
	b.host.Refuse(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	b.drop()
	b.wait(time.Hour)
	if w := b.watch(); w.State != drydock.WatchRemoving {
		t.Errorf("%+v", w)
	}
	b.restart()
	b.host.Refuse(nil)
	b.wait(2 * time.Hour)
	if len(b.host.Hooks()) > 0 || len(b.watches()) > 0 {
		t.Errorf("left are %v, %+v", b.host.Hooks(), b.watches())
	}
}

// A token that was taken away can't remove the webhook: that is said.
func TestTokenGoneAtTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitea(t))
	b.put(b.source())
	b.host.AddToken("full", hosttest.Token{})
	b.drop()
	if len(b.watches()) > 0 || b.logged("do it at the git host") != 1 {
		t.Errorf("%+v\n%s", b.watches(), b.log.String())
	}
}

// A host that is away when a task is created gets its webhook later; until then
// the repository is polled.
func TestHostAwayAtTheStart(t *testing.T) {
	t.Parallel()
	b := newBench(t, hosttest.NewGitHub(t))
	b.host.Refuse(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	b.put(b.source())
	if w := b.watch(); w.State != drydock.WatchPolling || w.Problem == "" {
		t.Errorf("%+v", w)
	}
	_, commit := b.host.Push("refs/heads/main")
	b.wait(2 * poll)
	b.built("polled", commit)
	b.host.Refuse(nil)
	b.wait(10 * time.Minute)
	if w := b.watch(); w.State != drydock.WatchWebhook || w.Problem != "" || len(b.host.Hooks()) != 1 {
		t.Errorf("%+v", w)
	}
}
