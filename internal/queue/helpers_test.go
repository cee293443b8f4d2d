package queue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/storetest"
)

var registries = storetest.Registries()

// switchable is a store that can be out of order.
type switchable struct {
	drydock.RunStore
	broken atomic.Bool
}

var errBroken = drydock.Errorf(drydock.Unavailable, "the store is out of order")

func (s *switchable) CreateRun(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error) {
	if s.broken.Load() {
		return r, errBroken
	}
	return s.RunStore.CreateRun(ctx, r)
}

func (s *switchable) Runs(ctx context.Context, f drydock.RunFilter) ([]drydock.RunRecord, error) {
	if s.broken.Load() {
		return nil, errBroken
	}
	return s.RunStore.Runs(ctx, f)
}

func (s *switchable) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (drydock.RunRecord, error) {
	if s.broken.Load() {
		return drydock.RunRecord{}, errBroken
	}
	return s.RunStore.UpdateRun(ctx, registry, id, change)
}

// openQueue opens a queue with four slots; set alters what it is made of.
func openQueue(t *testing.T, store drydock.RunStore, owner string, set func(*queue.Config)) *queue.Queue {
	t.Helper()
	cfg := queue.Config{Runs: store, Owner: owner, Slots: 4}
	if set != nil {
		set(&cfg)
	}
	q, err := queue.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func alone(c *queue.Config) { c.Alone = true }

func oneSlot(c *queue.Config) { c.Slots = 1 }

func enqueue(t *testing.T, q *queue.Queue, registry int) drydock.RunRecord {
	t.Helper()
	r, err := q.Enqueue(t.Context(), drydock.RunRecord{Registry: registries[registry], Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func claim(t *testing.T, q *queue.Queue) *queue.Claim {
	t.Helper()
	c, err := q.Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// claimNone checks that there is nothing to claim for some time.
func claimNone(t *testing.T, q *queue.Queue, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	c, err := q.Claim(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("claimed %+v, %v; want nothing", c, err)
	}
}

func finish(t *testing.T, c *queue.Claim, status drydock.RunStatus) {
	t.Helper()
	check(t, c.Finish(t.Context(), status, []byte(`{}`)))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, what string, err error, want drydock.Code) {
	t.Helper()
	if got := drydock.CodeOf(err); got != want {
		t.Errorf("%s: error %v with code %q, want code %q", what, err, got, want)
	}
}

// stored returns a run as the store has it.
func stored(t *testing.T, store drydock.RunStore, r drydock.RunRecord) drydock.RunRecord {
	t.Helper()
	r, err := store.Run(t.Context(), r.Registry, r.ID)
	check(t, err)
	return r
}

// wantEnd checks why a claim's context ended, if it has.
func wantEnd(t *testing.T, c *queue.Claim, want error) {
	t.Helper()
	if got := context.Cause(c.Context()); !errors.Is(got, want) {
		t.Errorf("the claim's context ended with %v, want %v", got, want)
	}
}
