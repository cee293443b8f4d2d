package upstream_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/upstream"
)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// site is a watcher on a store and a registry that are scripted. It is for use
// within a synctest bubble.
type site struct {
	t        *testing.T
	store    *memory
	registry *script
	interval upstream.Interval
	wall     atomic.Int64 // nanoseconds by which the wall clock is wrong

	mu      sync.Mutex
	watched []drydock.ImageName
	stop    func()
	watcher *upstream.Watcher
}

func newSite(t *testing.T, images ...string) *site {
	s := &site{
		t: t, store: &memory{polls: map[drydock.ImageName]drydock.ImagePoll{}, pauses: map[string]drydock.RegistryPause{}},
		registry: &script{answers: map[string]func(context.Context) (upstream.Answer, error){}},
		interval: upstream.Interval{Min: 10 * time.Minute, Max: time.Hour},
	}
	s.watch(images...)
	return s
}

func image(t *testing.T, name string) drydock.ImageName {
	t.Helper()
	n, err := drydock.ParseImageName(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// watch sets what is watched.
func (s *site) watch(images ...string) {
	s.t.Helper()
	var names []drydock.ImageName
	for _, name := range images {
		names = append(names, image(s.t, name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = names
}

func (s *site) WatchedImages(context.Context) ([]drydock.ImageName, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.watched), nil
}

func (s *site) Credentials(context.Context, drydock.ImageName) ([]upstream.Credential, error) {
	return nil, nil
}

// start starts a watcher, as a server does.
func (s *site) start() {
	n := 0
	s.watcher = upstream.New(upstream.Config{
		Watched: s, Store: s.store, Resolver: s.registry,
		Interval: func(string) upstream.Interval { return s.interval },
		// The monotonic part of the time is left out, so that only the wall clock counts.
		Now:    func() time.Time { return time.Now().Round(0).Add(time.Duration(s.wall.Load())) },
		NewID:  func() string { n++; return fmt.Sprint("event-", time.Now().UnixNano(), "-", n) },
		Random: func() float64 { return 0.5 },
		Log:    slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() { s.watcher.Run(ctx); close(ended) }()
	s.stop = func() { cancel(); <-ended }
	synctest.Wait()
}

// pass lets time pass.
func (s *site) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// changes returns what the events so far tell of an image.
func (s *site) changes(name string) []string {
	s.t.Helper()
	n := image(s.t, name)
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	var all []string
	for _, e := range s.store.events {
		var c drydock.ImageChange
		if err := json.Unmarshal(e.Data, &c); err != nil || e.Kind != drydock.ImageEvent {
			s.t.Fatal(e, err)
		}
		if c.Registry == n.Registry && c.Repository == n.Repository && c.Tag == n.Tag {
			all = append(all, brief(c.Previous)+">"+brief(c.Digest))
		}
	}
	return all
}

// brief returns the first digit of a digest.
func brief(digest string) string {
	if len(digest) < 8 {
		return ""
	}
	return digest[7:8]
}

func (s *site) poll(name string) drydock.ImagePoll {
	s.t.Helper()
	p, err := s.store.ImagePoll(s.t.Context(), image(s.t, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *site) want(name string, changes ...string) {
	s.t.Helper()
	if got := s.changes(name); !slices.Equal(got, changes) {
		s.t.Errorf("%s: changes %q, want %q", name, got, changes)
	}
}

// script is a registry.
type script struct {
	mu      sync.Mutex
	answers map[string]func(context.Context) (upstream.Answer, error)
	asked   map[string][]time.Time
	now     int // questions at present
	most    int // at a time
}

// Resolve implements upstream.Resolver. An image without an answer is not there.
func (s *script) Resolve(ctx context.Context, q upstream.Query) (upstream.Answer, error) {
	s.mu.Lock()
	name := q.Image.Familiar()
	if s.asked == nil {
		s.asked = map[string][]time.Time{}
	}
	s.asked[name] = append(s.asked[name], time.Now())
	s.now++
	s.most = max(s.most, s.now)
	answer := s.answers[name]
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now--
	}()
	if answer == nil {
		return upstream.Answer{}, nil
	}
	return answer(ctx)
}

// has sets the digest of an image.
func (s *script) has(name, digest string) {
	s.answer(name, func(context.Context) (upstream.Answer, error) { return upstream.Answer{Digest: digest}, nil })
}

// fails sets the error for an image.
func (s *script) fails(name string, err error) {
	s.answer(name, func(context.Context) (upstream.Answer, error) { return upstream.Answer{}, err })
}

func (s *script) answer(name string, f func(context.Context) (upstream.Answer, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name] = f
}

// times returns how often an image was asked for so far; all for "".
func (s *script) times(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != "" {
		return len(s.asked[name])
	}
	n := 0
	for _, at := range s.asked {
		n += len(at)
	}
	return n
}

// busiest returns how many questions there were at a time.
func (s *script) busiest() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// memory is a store.
type memory struct {
	mu     sync.Mutex
	polls  map[drydock.ImageName]drydock.ImagePoll
	pauses map[string]drydock.RegistryPause
	events []drydock.Event
	broken bool // writes fail
	undo   []func()
}

type inTransaction struct{}

// count returns how many events there are.
func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.events)
}

// Atomically implements drydock.Transactor. What a failed transaction wrote is
// taken back.
func (m *memory) Atomically(ctx context.Context, f func(context.Context) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.undo = nil
	err := f(context.WithValue(ctx, inTransaction{}, true))
	if err == nil && m.broken {
		err = drydock.Errorf(drydock.Unavailable, "the disk is full")
	}
	for i := len(m.undo) - 1; i >= 0 && err != nil; i-- {
		m.undo[i]()
	}
	return err
}

func (m *memory) lock(ctx context.Context) func() {
	if ctx.Value(inTransaction{}) != nil {
		return func() {}
	}
	m.mu.Lock()
	return m.mu.Unlock
}

func (m *memory) ImagePoll(ctx context.Context, image drydock.ImageName) (drydock.ImagePoll, error) {
	defer m.lock(ctx)()
	p, ok := m.polls[image]
	if !ok {
		return p, drydock.Errorf(drydock.NotFound, "nothing is known of %s", image)
	}
	return p, nil
}

func (m *memory) ImagePolls(ctx context.Context) ([]drydock.ImagePoll, error) {
	defer m.lock(ctx)()
	return slices.SortedFunc(maps.Values(m.polls), func(a, b drydock.ImagePoll) int {
		return cmp.Compare(a.Image.String(), b.Image.String())
	}), nil
}

func (m *memory) PutImagePoll(ctx context.Context, p drydock.ImagePoll) error {
	defer m.lock(ctx)()
	old, ok := m.polls[p.Image]
	m.undo = append(m.undo, func() {
		if m.polls[p.Image] = old; !ok {
			delete(m.polls, p.Image)
		}
	})
	m.polls[p.Image] = p
	return nil
}

func (m *memory) DeleteImagePoll(ctx context.Context, image drydock.ImageName) error {
	defer m.lock(ctx)()
	delete(m.polls, image)
	return nil
}

func (m *memory) RegistryPauses(ctx context.Context) ([]drydock.RegistryPause, error) {
	defer m.lock(ctx)()
	return slices.Collect(maps.Values(m.pauses)), nil
}

func (m *memory) PutRegistryPause(ctx context.Context, p drydock.RegistryPause) error {
	defer m.lock(ctx)()
	if p.Until.IsZero() {
		delete(m.pauses, p.Host)
	} else {
		m.pauses[p.Host] = p
	}
	return nil
}

func (m *memory) AppendEvent(ctx context.Context, e drydock.Event) (drydock.Event, error) {
	defer m.lock(ctx)()
	m.undo = append(m.undo, func() { m.events = m.events[:len(m.events)-1] })
	e.Number = int64(len(m.events) + 1)
	m.events = append(m.events, e)
	return e, nil
}
