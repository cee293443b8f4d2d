package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/storetest"
)

// Servers are killed at random before and after any call of the store, and cut
// off from it for a while, again and again. No run is lost, none comes to an end
// twice, and none is taken from a server that has it.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		servers int
		alone   bool
	}{"one server": {1, true}, "three servers": {3, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kills := 0
			for seed := range uint64(1000) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(seed)
					w.alone = c.alone
					var servers sync.WaitGroup
					for range c.servers {
						servers.Go(func() { w.livesOfAServer(t.Context()) })
					}
					servers.Wait()
					w.check(t)
					kills += w.kills
				})
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
			t.Logf("%d kills", kills)
			if kills < 2000 {
				t.Errorf("there were only %d kills", kills)
			}
		})
	}
}

// world is a store and the servers that live and die on it.
type world struct {
	store *witness
	alone bool

	mu    sync.Mutex
	rand  *rand.Rand
	names int
	kills int
	told  []drydock.RunRecord // runs that somebody was told are queued
	wrong []string
}

const runsOfAWorld = 8

func newWorld(seed uint64) *world {
	return &world{
		store: &witness{RunStore: storetest.NewMemory(registries...), ends: map[string]int{}},
		rand:  rand.New(rand.NewPCG(seed, 1)),
	}
}

func (w *world) random(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(n)
}

// livesOfAServer starts a server again whenever it was killed, until all is
// done. In the end nobody is killed any more.
func (w *world) livesOfAServer(ctx context.Context) {
	for lives := w.random(8); ; lives-- {
		calls := 1 + w.random(40)
		if lives <= 0 {
			calls = 0
		}
		if w.life(ctx, w.mortal(calls)) {
			return
		}
		time.Sleep(time.Duration(w.random(60)) * time.Second)
	}
}

// mortal returns the store of a server that dies with one of its calls.
func (w *world) mortal(calls int) *mortal {
	m := &mortal{RunStore: w.store, world: w, left: calls, after: w.random(2) == 0}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names++
	m.owner = fmt.Sprint("server ", w.names)
	if calls > 0 {
		w.kills++
	}
	return m
}

// life is one life of a server. It reports whether it has seen all done.
func (w *world) life(ctx context.Context, store *mortal) bool {
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	store.kill = kill
	q, err := queue.Open(ctx, queue.Config{Runs: store, Owner: store.owner, Alone: w.alone, Slots: 2})
	if err != nil {
		return false
	}
	defer q.Close()
	var work sync.WaitGroup
	defer work.Wait()
	defer kill(nil)
	work.Go(func() { w.enqueue(ctx, q) })
	work.Go(func() { w.cancel(ctx, q) })
	for range 3 {
		work.Go(func() { w.work(ctx, q) })
	}
	for ctx.Err() == nil {
		time.Sleep(5 * time.Second)
		if w.done() {
			return true
		}
	}
	return false
}

func (w *world) enqueue(ctx context.Context, q *queue.Queue) {
	for w.store.count() < runsOfAWorld {
		r, err := q.Enqueue(ctx, drydock.RunRecord{Registry: registries[w.random(2)], Created: time.Now()})
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			sleep(ctx, time.Second)
			continue
		}
		w.mu.Lock()
		w.told = append(w.told, r)
		w.mu.Unlock()
		sleep(ctx, time.Duration(w.random(20))*time.Second)
	}
}

func (w *world) cancel(ctx context.Context, q *queue.Queue) {
	for ctx.Err() == nil {
		sleep(ctx, time.Duration(w.random(120))*time.Second)
		w.mu.Lock()
		var r drydock.RunRecord
		if len(w.told) > 0 {
			r = w.told[w.rand.IntN(len(w.told))]
		}
		w.mu.Unlock()
		if r.ID != "" && w.random(4) == 0 {
			q.Cancel(ctx, r.Registry, r.ID) // it may have ended, or the server be dead
		}
	}
}

// work carries runs out as a server does.
func (w *world) work(ctx context.Context, q *queue.Queue) {
	for {
		c, err := q.Claim(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			sleep(ctx, time.Second)
			continue
		}
		if err := w.carryOut(ctx, c); err != nil && ctx.Err() != nil {
			return
		}
	}
}

func (w *world) carryOut(ctx context.Context, c *queue.Claim) error {
	work, cancel := context.WithCancel(c.Context())
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	sleep(work, time.Duration(w.random(3))*time.Second)
	if err := c.Start(ctx); err != nil {
		// The slot has to be given back whatever happens.
		return errors.Join(err, c.Release(ctx))
	}
	sleep(work, time.Duration(w.random(50))*time.Second)
	switch cause := context.Cause(c.Context()); {
	case errors.Is(cause, queue.ErrCancelRequested):
		return c.Finish(ctx, drydock.RunCanceled, nil)
	case w.random(10) == 0:
		return c.Release(ctx)
	}
	return c.Finish(ctx, drydock.RunSucceeded, nil)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// done reports whether all runs are there and have ended.
func (w *world) done() bool {
	active, err := w.store.Runs(context.Background(), drydock.RunFilter{OnlyActive: true})
	return err == nil && len(active) == 0 && w.store.count() >= runsOfAWorld
}

func (w *world) check(t *testing.T) {
	t.Helper()
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
	for _, told := range w.told {
		if r := stored(t, w.store, told); !r.Status.Ended() {
			t.Errorf("run %s is %s", r.ID, r.Status)
		}
	}
	all, err := w.store.Runs(t.Context(), drydock.RunFilter{})
	check(t, err)
	for _, r := range all {
		name := r.Registry.Name() + "/" + r.ID
		if w.store.ends[name] != 1 {
			t.Errorf("run %s came to %d ends", name, w.store.ends[name])
		}
		if r.Attempts > 4 || r.Status == drydock.RunFailed && r.Attempts != 4 {
			t.Errorf("run %s is %s after %d attempts", name, r.Status, r.Attempts)
		}
		if r.Finished.IsZero() || r.Owner != "" {
			t.Errorf("run %s ended as %+v", name, r)
		}
	}
}

// witness counts how often each run comes to an end.
type witness struct {
	drydock.RunStore
	mu   sync.Mutex
	runs int
	ends map[string]int
}

func (w *witness) CreateRun(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error) {
	r, err := w.RunStore.CreateRun(ctx, r)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.runs++
	}
	return r, err
}

func (w *witness) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (drydock.RunRecord, error) {
	ended := false
	r, err := w.RunStore.UpdateRun(ctx, registry, id, func(r *drydock.RunRecord) error {
		before := *r
		err := change(r)
		ended = r.Status.Ended() && (r.Status != before.Status || !r.Finished.Equal(before.Finished))
		return err
	})
	if err == nil && ended {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ends[r.Registry.Name()+"/"+r.ID]++
	}
	return r, err
}

func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs
}

// mortal is the store as a process sees it that is killed with one of its next
// calls: before it is carried out, or after it and before the answer. At times
// the store is out of its reach.
type mortal struct {
	drydock.RunStore
	world *world
	owner string
	kill  context.CancelCauseFunc

	mu     sync.Mutex
	left   int // calls until then; 0 for never
	after  bool
	dead   bool
	cutOff time.Time // until when
}

var errKilled = errors.New("the process was killed")

// call makes a call, unless the process is dead.
func (m *mortal) call(f func() error) error {
	m.mu.Lock()
	last := false
	if m.left > 0 && !m.dead {
		m.left--
		last = m.left == 0
		m.dead = last
	}
	dead := m.dead
	if m.world.random(100) == 0 {
		m.cutOff = time.Now().Add(time.Duration(m.world.random(90)) * time.Second)
	}
	reachable := !time.Now().Before(m.cutOff)
	m.mu.Unlock()
	switch {
	case !dead && !reachable:
		return errBroken
	case !dead:
		return f()
	}
	if last && m.after {
		f() // nobody hears of its result
	}
	m.kill(errKilled)
	return errKilled
}

func (m *mortal) CreateRun(ctx context.Context, r drydock.RunRecord) (got drydock.RunRecord, err error) {
	err = m.call(func() (err error) {
		got, err = m.RunStore.CreateRun(context.WithoutCancel(ctx), r)
		return err
	})
	return got, err
}

func (m *mortal) Run(ctx context.Context, registry drydock.ResourceID, id string) (got drydock.RunRecord, err error) {
	err = m.call(func() (err error) {
		got, err = m.RunStore.Run(ctx, registry, id)
		return err
	})
	return got, err
}

func (m *mortal) Runs(ctx context.Context, f drydock.RunFilter) (got []drydock.RunRecord, err error) {
	err = m.call(func() (err error) {
		got, err = m.RunStore.Runs(ctx, f)
		return err
	})
	return got, err
}

func (m *mortal) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (got drydock.RunRecord, err error) {
	err = m.call(func() (err error) {
		got, err = m.RunStore.UpdateRun(context.WithoutCancel(ctx), registry, id, func(r *drydock.RunRecord) error {
			before := *r
			err := change(r)
			if err == nil && r.Status != before.Status {
				m.judge(before, *r)
			}
			return err
		})
		return err
	})
	return got, err
}

// judge looks whether this server may take a run from one state to another.
func (m *mortal) judge(before, after drydock.RunRecord) {
	others := before.Owner != "" && before.Owner != m.owner
	if others && !m.world.alone && time.Now().Before(before.LeaseUntil) {
		m.world.mu.Lock()
		defer m.world.mu.Unlock()
		m.world.wrong = append(m.world.wrong, fmt.Sprintf("%s took run %s of %s from %s to %s",
			m.owner, before.ID, before.Owner, before.Status, after.Status))
	}
}
