package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// ErrClosed is what a closed queue says.
var ErrClosed = errors.New("the queue is closed")

// Config is what a queue is made of. Fields with a default may be zero.
type Config struct {
	Runs drydock.RunStore
	// Owner names this server, differently from all others and from its own
	// former lives.
	Owner string
	// Alone says that no other server works on the same runs: what another
	// owner has was left by one that is gone, however long its lease.
	Alone bool
	Slots int // of the default pool
	// Batch is how many runs of a batch may be carried out at a time by this
	// server; any number if 0.
	Batch int

	Lease    time.Duration // how long a run is safe from other servers without a heartbeat; 30 s
	Beat     time.Duration // between two heartbeats; 1.5 s
	Poll     time.Duration // between two looks for runs that nobody told of; 10 s
	Requeues int           // how often a run goes back whose server is gone; 3

	// Recovered is told of each run that was queued again or ended because its
	// server was gone, or ended because it was to be cancelled. A server that dies at that moment does not tell: what
	// must be known of a run can be seen from it, as Attempts. Default: nobody.
	Recovered func(ctx context.Context, r drydock.RunRecord, reason string)
	Now       func() time.Time // default: time.Now
	Log       *slog.Logger     // of what goes wrong in the background; default: none
}

// Queue hands out runs. Its methods may be called from several goroutines.
type Queue struct {
	cfg Config

	mu      sync.Mutex
	backlog backlog
	held    map[key]*Claim
	changed chan struct{} // closed when a claim may have become possible
	closed  bool
	unsure  bool // the store may have given us a run that nobody holds

	stop context.CancelFunc
	wait sync.WaitGroup
}

// Open recovers the runs whose server is gone, reads what waits, and works in
// the background until Close.
func Open(ctx context.Context, cfg Config) (*Queue, error) {
	q := &Queue{
		cfg:     withDefaults(cfg),
		backlog: backlog{pools: map[string]*pool{}, limit: cfg.Batch, batches: map[string]int{}},
		held:    map[key]*Claim{},
		changed: make(chan struct{}),
	}
	q.backlog.pool("").slots = cfg.Slots
	if err := q.recover(ctx); err != nil {
		return nil, err
	}
	if err := q.load(ctx); err != nil {
		return nil, err
	}
	ctx, q.stop = context.WithCancel(context.WithoutCancel(ctx))
	q.wait.Go(func() { q.work(ctx) })
	return q, nil
}

func withDefaults(c Config) Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Lease, 30 * time.Second}, {&c.Beat, 1500 * time.Millisecond}, {&c.Poll, 10 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Requeues == 0 {
		c.Requeues = 3
	}
	if c.Recovered == nil {
		c.Recovered = func(context.Context, drydock.RunRecord, string) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Close ends the background work and every claim that is still held, with the
// cause ErrClosed: their runs stay as they are in the store, for the next life.
func (q *Queue) Close() {
	q.stop()
	q.wait.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, c := range q.held {
		c.cancel(ErrClosed)
	}
	q.wake()
}

// Enqueue stores a run and lets it wait. A pool without slots is an error with
// code Invalid. Within a store's transaction the run may be claimed a little
// later than at once.
func (q *Queue) Enqueue(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error) {
	if q.Slots(r.Registry, r.Pool) == 0 {
		return drydock.RunRecord{}, drydock.Errorf(drydock.Invalid, "there is no agent pool %q with agents", r.Pool).
			WithHint("create the pool, or leave it out to use the default one")
	}
	r, err := q.cfg.Runs.CreateRun(ctx, r)
	if err != nil {
		return r, fmt.Errorf("queueing a run: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.enlist(entryOf(r))
	return r, nil
}

// Enlist lets runs wait that somebody else has stored, once they are committed.
func (q *Queue) Enlist(runs ...drydock.RunRecord) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range runs {
		q.enlist(entryOf(r))
	}
}

// SetSlots says how many runs a pool of a registry carries out at a time; an
// empty name is the default pool of all. Without slots its runs wait.
func (q *Queue) SetSlots(registry drydock.ResourceID, name string, slots int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.backlog.pool(poolKey(registry, name)).slots = slots
	q.wake()
}

// Slots returns what SetSlots has set.
func (q *Queue) Slots(registry drydock.ResourceID, name string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p := q.backlog.pools[poolKey(registry, name)]; p != nil {
		return p.slots
	}
	return 0
}

// load reads which runs wait, and ends those that need not any more.
func (q *Queue) load(ctx context.Context) error {
	found, err := q.cfg.Runs.Runs(ctx, drydock.RunFilter{Statuses: []drydock.RunStatus{drydock.RunQueued}, Brief: true})
	if err != nil {
		return fmt.Errorf("reading the queue: %w", err)
	}
	var unwanted []entry
	q.mu.Lock()
	for _, r := range found {
		if r.CancelRequested {
			unwanted = append(unwanted, entryOf(r))
		} else {
			q.enlist(entryOf(r))
		}
	}
	q.mu.Unlock()
	return q.withdraw(ctx, unwanted...)
}

// enlist lets a run wait for a claim. One that is held still, by a worker that
// has lost it, is left for a later look. q.mu is held.
func (q *Queue) enlist(e entry) {
	if q.held[e.key()] == nil && q.backlog.add(e) {
		q.wake()
	}
}

// wake lets all look again who wait for a claim. q.mu is held.
func (q *Queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}
