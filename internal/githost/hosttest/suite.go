package hosttest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// Real is a git host with a repository, a fake or a real one, as the suite needs
// it.
type Real interface {
	// Address returns the URL of the repository and what reaches it.
	Address() (repository string, client *http.Client)
	// Rights returns tokens with what they may.
	Rights() []Rights
	// Push pushes a commit that changes files to a ref.
	Push(ref string, files ...string) (before, after string)
	// OpenPull opens a pull request into main.
	OpenPull(branch string, fork bool, files ...string) githost.Pull
	UpdatePull(number string) githost.Pull
	EditPull(number string) githost.Pull
	ClosePull(number string) githost.Pull
	// Statuses returns what was said of a commit, the oldest first.
	Statuses(commit string) []githost.Status
}

// Rights is a token and what it may.
type Rights struct {
	Name                   string
	Token                  string
	Hooks, Statuses, Pulls bool
}

// Address implements Real.
func (h *Host) Address() (string, *http.Client) { return h.Repository, h.Client() }

// Rights implements Real. One of the tokens has exactly the scopes that ACR's
// documentation asks for.
func (h *Host) Rights() []Rights {
	scopes := map[githost.Kind][2][]string{
		githost.GitHub:      {{"repo"}, {"repo:status", "public_repo"}},
		githost.AzureDevOps: {{"vso.code", "vso.code_status"}, {"vso.code"}},
		githost.Gitea:       {{"write:repository"}, {"read:repository"}},
		githost.GitLab:      {{"api"}, {"read_api"}},
	}[h.Kind]
	h.AddToken("full", Token{Scopes: scopes[0]})
	h.AddToken("less", Token{Scopes: scopes[1]})
	h.AddToken("no-admin", Token{Scopes: scopes[0], NotAdmin: true})
	less := Rights{Name: "less", Token: "less", Pulls: true}
	// To follow events is part of reading code there.
	less.Hooks = h.Kind == githost.AzureDevOps
	less.Statuses = h.Kind == githost.GitHub
	all := []Rights{
		{Name: "full", Token: "full", Hooks: true, Statuses: true, Pulls: true},
		less,
		{Name: "wrong", Token: "wrong"},
	}
	if h.Kind != githost.Gitea { // where it has other tokens
		all = append(all, Rights{Name: "not an admin's", Token: "no-admin", Statuses: true, Pulls: true})
	}
	return all
}

// Run runs the suite. newHost returns a host with a new repository.
func Run(t *testing.T, kind githost.Kind, newHost func(t *testing.T) Real) {
	for name, test := range map[string]func(*bench){
		"detected": detected, "rights": rights, "hooks": hooks, "pushes": pushes, "pulls": pulls, "statuses": statuses, "forged": forged,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newBench(t, kind, newHost(t)))
		})
	}
}

// bench is a host under test, with a webhook's receiver.
type bench struct {
	*testing.T
	Real
	kind   githost.Kind
	host   githost.Host // with all rights
	secret string
	hook   githost.Hook

	mu       sync.Mutex
	got      []githost.Delivery
	refused  []error
	requests []*http.Request
	bodies   [][]byte
	changed  chan struct{}
}

func newBench(t *testing.T, kind githost.Kind, real Real) *bench {
	b := &bench{T: t, Real: real, kind: kind, secret: "s3cret-of-the-hook", changed: make(chan struct{}, 100)}
	server := httptest.NewServer(http.HandlerFunc(b.receive))
	t.Cleanup(server.Close)
	b.hook = githost.Hook{URL: server.URL + "/hooks/git/x", Secret: b.secret, Push: true, Pull: true}
	b.host = b.with(real.Rights()[0].Token)
	return b
}

func (b *bench) options() githost.Options {
	_, client := b.Address()
	return githost.Options{HTTP: client, Now: time.Now}
}

func (b *bench) with(token string) githost.Host {
	b.Helper()
	repository, _ := b.Address()
	h, err := githost.New(b.kind, repository+"#main:folder", token, b.options())
	if err != nil {
		b.Fatal(err)
	}
	return h
}

func (b *bench) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d, err := githost.Receive(b.kind, b.secret, r.Header, body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests, b.bodies = append(b.requests, r), append(b.bodies, body)
	if err != nil {
		b.refused = append(b.refused, err)
		w.WriteHeader(http.StatusUnauthorized)
	}
	b.got = append(b.got, d)
	b.changed <- struct{}{}
}

// change waits for a delivery that tells of a change.
func (b *bench) change(what string) drydock.SourceChange {
	b.Helper()
	deadline := time.After(30 * time.Second)
	for {
		b.mu.Lock()
		for i, d := range b.got {
			if len(d.Changes) > 0 {
				b.got = slices.Delete(b.got, 0, i+1)
				b.mu.Unlock()
				if d.ID == "" {
					b.Errorf("%s: the delivery has no id", what)
				}
				return d.Changes[0]
			}
		}
		b.mu.Unlock()
		select {
		case <-b.changed:
		case <-deadline:
			b.Fatalf("%s: no delivery; refused: %v", what, b.refused)
		}
	}
}

func (b *bench) arm() string {
	b.Helper()
	id, err := b.host.CreateHook(b.Context(), b.hook)
	if err != nil || id == "" {
		b.Fatalf("webhook %q: %v", id, err)
	}
	return id
}

func (b *bench) wants(what string, err error, code drydock.Code) {
	b.Helper()
	if got := drydock.CodeOf(err); got != code {
		b.Errorf("%s: %v with code %q, not %q", what, err, got, code)
	}
}

func detected(b *bench) {
	repository, _ := b.Address()
	kind, err := githost.Detect(b.Context(), repository, b.Rights()[0].Token, b.options())
	if err != nil || kind != b.kind || b.host.Kind() != kind {
		b.Errorf("it is %s, %v", kind, err)
	}
}

func rights(b *bench) {
	_, commit := b.Push("refs/heads/main", "a")
	for _, r := range b.Rights() {
		h := b.with(r.Token)
		check := func(what string, may bool, err error) {
			b.Helper()
			want := drydock.Code("")
			if !may {
				want = drydock.Denied
			}
			b.wants(r.Name+": "+what, err, want)
		}
		id, err := h.CreateHook(b.Context(), b.hook)
		check("making a webhook", r.Hooks, err)
		if err == nil {
			check("removing it", true, h.DeleteHook(b.Context(), id))
		}
		check("a status", r.Statuses, h.SetStatus(b.Context(), commit, githost.Status{State: drydock.CommitPending, Context: "drydock/x"}))
		_, err = h.Pulls(b.Context())
		check("pull requests", r.Pulls, err)
	}
}

func hooks(b *bench) {
	find := func(url string) []string {
		b.Helper()
		ids, err := b.host.FindHooks(b.Context(), url)
		if err != nil {
			b.Error(err)
		}
		return ids
	}
	if ids := find(b.hook.URL); len(ids) > 0 {
		b.Errorf("there is %v", ids)
	}
	id := b.arm()
	if ids := find(b.hook.URL); len(ids) == 0 {
		b.Error("it is not found")
	}
	if ids := find(b.hook.URL + "y"); len(ids) > 0 {
		b.Errorf("found %v by another URL", ids)
	}
	for range 2 { // the second time it is gone already
		b.wants("removing it", b.host.DeleteHook(b.Context(), id), "")
	}
	if ids := find(b.hook.URL); len(ids) > 0 {
		b.Errorf("there still is %v", ids)
	}
}

func pushes(b *bench) {
	b.arm()
	for _, ref := range []string{"refs/heads/main", "refs/heads/feature/x", "refs/tags/v1"} {
		before, after := b.Push(ref, "api/main.go", "docs/x.md")
		c := b.change(ref)
		if c.Ref != ref || c.Before != before || c.Commit != after || c.Pull != "" || c.Provider != string(b.kind) || c.Actor == "" {
			b.Errorf("%s: %+v, from %s to %s", ref, c, before, after)
		}
		if !c.AllPaths && !slices.Contains(c.Paths, "api/main.go") {
			b.Errorf("%s: changed %v", ref, c.Paths)
		}
	}
}

func pulls(b *bench) {
	b.hook.Push = false // a pull request comes from a branch that was pushed
	b.arm()
	for branch, fork := range map[string]bool{"topic": false, "other": true} {
		p := b.OpenPull(branch, fork, "web/app.js")
		opened := b.change("opened")
		if opened.Action != "opened" || opened.Pull != p.Number || opened.Commit != p.Commit || opened.Fork != fork ||
			opened.Ref != "refs/heads/main" || opened.Branch != branch || opened.PullRef == "" {
			b.Errorf("opened as %+v, not %+v", opened, p)
		}
		b.EditPull(p.Number)
		p = b.UpdatePull(p.Number)
		if updated := b.change("updated"); updated.Action != "updated" || updated.Commit != p.Commit {
			b.Errorf("updated as %+v, not %+v", updated, p)
		}
		got, err := b.host.Pull(b.Context(), p.Number)
		want := githost.Pull{Number: p.Number, Open: true, Base: "refs/heads/main", Branch: branch, Commit: p.Commit, Fork: fork}
		ignore := cmpopts.IgnoreFields(githost.Pull{}, "Ref", "Actor")
		if d := cmp.Diff(want, got, ignore); d != "" || err != nil || got.Ref == "" || got.Actor == "" {
			b.Errorf("%v: (-want +got):\n%s\n%+v", err, d, got)
		}
		all, err := b.host.Pulls(b.Context())
		if err != nil || len(all) != 1 || cmp.Diff(want, all[0], ignore) != "" {
			b.Errorf("open are %+v, %v", all, err)
		}
		paths, whole, err := b.host.PullPaths(b.Context(), p.Number)
		if err != nil || !whole || !slices.Contains(paths, "web/app.js") {
			b.Errorf("it changes %v, %t, %v", paths, whole, err)
		}
		b.ClosePull(p.Number)
		if b.kind != githost.AzureDevOps { // its service hooks for that are for much else too
			if closed := b.change("closed"); closed.Action != "closed" || closed.Pull != p.Number {
				b.Errorf("closed as %+v, not %+v", closed, p)
			}
		}
		if all, err := b.host.Pulls(b.Context()); err != nil || len(all) > 0 {
			b.Errorf("open are %+v, %v", all, err)
		}
		if got, err := b.host.Pull(b.Context(), p.Number); err != nil || got.Open {
			b.Errorf("it is %+v, %v", got, err)
		}
	}
	_, err := b.host.Pull(b.Context(), "987654")
	b.wants("one that is not there", err, drydock.NotFound)
}

func statuses(b *bench) {
	_, commit := b.Push("refs/heads/main", "a")
	long := string(slices.Repeat([]rune("ä"), 300))
	for _, state := range []drydock.CommitState{drydock.CommitPending, drydock.CommitFailure, drydock.CommitError, drydock.CommitSuccess} {
		s := githost.Status{State: state, Context: "drydock/contoso/app", Text: "Run ca1 " + long, URL: "https://drydock.example/log/x"}
		if err := b.host.SetStatus(b.Context(), commit, s); err != nil {
			b.Error(err)
			continue
		}
		said := b.Statuses(commit)
		last := said[len(said)-1]
		if last.State != state || last.Context != s.Context || last.URL != s.URL || last.Text[:8] != s.Text[:8] {
			b.Errorf("said %+v", last)
		}
	}
}

// What does not know the secret is refused, whatever else it says.
func forged(b *bench) {
	b.arm()
	b.Push("refs/heads/main", "a")
	b.change("the push")
	b.mu.Lock()
	defer b.mu.Unlock()
	last := len(b.requests) - 1
	header, body := b.requests[last].Header, b.bodies[last]
	for what, call := range map[string]func() error{
		"another secret": func() error { _, err := githost.Receive(b.kind, b.secret+"x", header, body); return err },
		"no secret":      func() error { _, err := githost.Receive(b.kind, "", header, body); return err },
		"no signature":   func() error { _, err := githost.Receive(b.kind, b.secret, http.Header{}, body); return err },
	} {
		b.wants(what, call(), drydock.Denied)
	}
	if _, err := githost.Receive(b.kind, b.secret, header, body); err != nil {
		b.Error(err)
	}
	if b.kind == githost.GitHub || b.kind == githost.Gitea { // the others show a password instead of signing
		_, err := githost.Receive(b.kind, b.secret, header, append([]byte(" "), body...))
		b.wants("another body", err, drydock.Denied)
	}
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	_, err := b.host.Pulls(ctx)
	b.wants("a call that is canceled", err, drydock.Unavailable)
}
