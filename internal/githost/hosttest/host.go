package hosttest

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// Host is a git host with one repository.
type Host struct {
	Kind       githost.Kind
	Repository string // its URL
	Private    bool   // only those may see it whose tokens let them; set before use

	server *httptest.Server
	form   form

	mu         sync.Mutex
	tokens     map[string]Token
	hooks      []*hook
	lastHook   int64
	statuses   map[string][]githost.Status
	pulls      []*githost.Pull
	pullPaths  map[string][]string
	refs       map[string]string
	commits    int
	deliveries []Delivered
	refuse     http.HandlerFunc // answers instead, if set
	asked      []string
	calls      sync.WaitGroup
}

// Token is what a token may.
type Token struct {
	Scopes []string
	// NotAdmin says that its owner may not change the settings of the repository.
	NotAdmin bool
}

// form is what tells the hosts apart.
type form interface {
	// handler serves the API.
	handler() http.Handler
	// request makes the call of a webhook; none if it is not for the event.
	request(h *hook, e event) *http.Request
}

// event is what webhooks tell of.
type event struct {
	id     string
	change drydock.SourceChange // of a push, or of the pull request
	pull   *githost.Pull
	action string // of the pull request: opened, updated, edited, closed
}

// hook is a webhook.
type hook struct {
	id     int64
	url    string
	secret string
	events []string
}

// Delivered is a call of a webhook that was made.
type Delivered struct {
	Status  int // of the answer; 0 for none
	request *http.Request
	body    []byte
}

// client calls webhooks.
var client = &http.Client{Timeout: 10 * time.Second}

// start starts the server of a host, whose repository is at a path below it.
func (h *Host) start(t testing.TB, f form, path string) {
	h.form = f
	h.tokens, h.statuses, h.pullPaths = map[string]Token{}, map[string][]githost.Status{}, map[string][]string{}
	h.refs = map[string]string{"refs/heads/main": ""}
	api := f.handler()
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		refuse := h.refuse
		h.asked = append(h.asked, r.Method+" "+r.URL.Path)
		h.mu.Unlock()
		if refuse != nil {
			refuse(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(h.server.Close)
	t.Cleanup(h.calls.Wait)
	h.Repository = h.server.URL + path
	h.refs["refs/heads/main"] = h.commit()
}

// Client returns a client that reaches the host, also by names that are its own
// in the world.
func (h *Host) Client() *http.Client {
	to, _ := url.Parse(h.server.URL)
	return &http.Client{Transport: redirect{to: to, names: []string{"api.github.com", "dev.azure.com", "gitlab.com"}}}
}

// redirect sends what is for some names to a server.
type redirect struct {
	to    *url.URL
	names []string
}

// RoundTrip implements http.RoundTripper.
func (d redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	if slices.Contains(d.names, r.URL.Host) {
		r = r.Clone(r.Context())
		r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, d.to.Scheme, d.to.Host
	}
	return http.DefaultTransport.RoundTrip(r)
}

// AddToken lets a token be one.
func (h *Host) AddToken(token string, t Token) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens[token] = t
}

// Refuse lets the host answer every request with f; nil ends that.
func (h *Host) Refuse(f http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse = f
}

// Asked returns the requests to the host so far, as "GET /path".
func (h *Host) Asked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

// Hooks returns the URLs that webhooks call.
func (h *Host) Hooks() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var urls []string
	for _, hook := range h.hooks {
		urls = append(urls, hook.url)
	}
	return urls
}

// Statuses returns what was said of a commit, the oldest first.
func (h *Host) Statuses(commit string) []githost.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.statuses[commit])
}

// Refs returns the refs that there are, and the default branch.
func (h *Host) Refs() (refs map[string]string, standard string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	refs = map[string]string{}
	for name, commit := range h.refs {
		if commit != "" {
			refs[name] = commit
		}
	}
	return refs, "refs/heads/main"
}

// commit makes up a commit. h.mu is held, or nobody else has h yet.
func (h *Host) commit() string {
	h.commits++
	sum := sha1.Sum([]byte(h.server.URL + strconv.Itoa(h.commits)))
	return hex.EncodeToString(sum[:])
}

// Push pushes a new commit that changes files, and returns the commit of the ref
// before and after.
func (h *Host) Push(ref string, files ...string) (before, after string) {
	h.mu.Lock()
	commit := h.commit()
	h.mu.Unlock()
	return h.Set(ref, commit, files...), commit
}

// Set lets a ref point at a commit, and returns the one before. An empty commit
// deletes the ref.
func (h *Host) Set(ref, commit string, files ...string) (before string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, h.refs[ref] = h.refs[ref], commit
	h.tell(event{change: drydock.SourceChange{Ref: ref, Before: before, Commit: commit, Paths: files, Actor: "pat"}})
	return before
}

// OpenPull opens a pull request into main and returns it.
func (h *Host) OpenPull(branch string, fork bool, files ...string) githost.Pull {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := &githost.Pull{
		Number: strconv.Itoa(len(h.pulls) + 1), Open: true, Base: "refs/heads/main", Branch: branch,
		Commit: h.commit(), Fork: fork, Actor: "sam",
	}
	h.pulls, h.pullPaths[p.Number] = append(h.pulls, p), files
	h.tell(event{pull: p, action: "opened"})
	return *p
}

// UpdatePull pushes a commit to a pull request and returns it.
func (h *Host) UpdatePull(number string) githost.Pull {
	return h.changePull(number, "updated", func(p *githost.Pull) { p.Commit = h.commit() })
}

// EditPull changes the words of a pull request.
func (h *Host) EditPull(number string) githost.Pull {
	return h.changePull(number, "edited", func(*githost.Pull) {})
}

// ClosePull closes a pull request.
func (h *Host) ClosePull(number string) githost.Pull {
	return h.changePull(number, "closed", func(p *githost.Pull) { p.Open = false })
}

func (h *Host) changePull(number, action string, change func(*githost.Pull)) githost.Pull {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.pull(number)
	change(p)
	h.tell(event{pull: p, action: action})
	return *p
}

func (h *Host) pull(number string) *githost.Pull {
	for _, p := range h.pulls {
		if p.Number == number {
			return p
		}
	}
	return nil
}

// tell calls the webhooks. h.mu is held.
func (h *Host) tell(e event) {
	h.commits++
	e.id = "delivery-" + strconv.Itoa(h.commits)
	for _, hook := range h.hooks {
		if r := h.form.request(hook, e); r != nil {
			h.call(r)
		}
	}
}

// call calls a webhook in the background. h.mu is held.
func (h *Host) call(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err) // it is in memory
	}
	h.deliveries = append(h.deliveries, Delivered{request: r, body: body})
	at := len(h.deliveries) - 1
	h.calls.Go(func() {
		status := deliver(r, body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.deliveries[at].Status = status
	})
}

func deliver(r *http.Request, body []byte) int {
	r = r.Clone(context.Background())
	r.Body, r.GetBody, r.ContentLength = io.NopCloser(bytes.NewReader(body)), nil, int64(len(body))
	resp, err := client.Do(r)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Wait waits until the webhooks that were to be called have been, and returns
// all calls so far.
func (h *Host) Wait() []Delivered {
	h.calls.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.deliveries)
}

// Again makes a call once more, and returns the status of the answer.
func (d Delivered) Again() int { return deliver(d.request, d.body) }

// Forged makes a call with another body and the old signature.
func (d Delivered) Forged() int { return deliver(d.request, append([]byte(" "), d.body...)) }

// post is a request to a webhook with a JSON body.
func post(to string, body any) (*http.Request, []byte) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	r, err := http.NewRequest(http.MethodPost, to, bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return r, text
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// page returns the part of a list that a request asks for.
func page[T any](r *http.Request, list []T, sizeKey string) []T {
	number, _ := strconv.Atoi(r.FormValue("page"))
	size, _ := strconv.Atoi(r.FormValue(sizeKey))
	if size <= 0 || size > 100 {
		size = 30
	}
	from := min(max(number-1, 0)*size, len(list))
	return list[from:min(from+size, len(list))]
}

// isURL reports that a text is one that a webhook can call.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// zeros stands for no commit.
var zeros = strings.Repeat("0", 40)

func orZeros(commit string) string {
	if commit == "" {
		return zeros
	}
	return commit
}

// any of some scopes.
func (t Token) any(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(t.Scopes, s) })
}

// String is for messages of tests.
func (d Delivered) String() string { return fmt.Sprintf("%d: %s", d.Status, d.body) }
