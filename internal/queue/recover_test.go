package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/storetest"
)

func TestRecoveryAtStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   drydock.RunStatus
		attempts int
		cancel   bool
		lease    time.Duration // what is left of it
		alone    bool

		want   drydock.RunStatus
		result string
	}{
		"running, expired":       {status: drydock.RunRunning, attempts: 1, lease: -1, want: drydock.RunQueued},
		"started, expired":       {status: drydock.RunStarted, attempts: 3, lease: -1, want: drydock.RunQueued},
		"running, leased":        {status: drydock.RunRunning, attempts: 1, lease: 1, want: drydock.RunRunning},
		"running, leased, alone": {status: drydock.RunRunning, attempts: 1, lease: time.Hour, alone: true, want: drydock.RunQueued},
		"cancelled":              {status: drydock.RunRunning, attempts: 1, cancel: true, lease: -1, want: drydock.RunCanceled},
		"cancelled, last":        {status: drydock.RunStarted, attempts: 4, cancel: true, lease: -1, want: drydock.RunCanceled},
		"too often": {
			status: drydock.RunRunning, attempts: 4, lease: -1, want: drydock.RunFailed,
			result: `{"runErrorMessage":"the server that had the run was gone before it ended, 4 times"}`,
		},
		"queued":              {status: drydock.RunQueued, want: drydock.RunQueued},
		"queued, cancelled":   {status: drydock.RunQueued, cancel: true, want: drydock.RunCanceled},
		"requeued, cancelled": {status: drydock.RunQueued, attempts: 2, cancel: true, want: drydock.RunCanceled},
		"ended":               {status: drydock.RunSucceeded, attempts: 1, want: drydock.RunSucceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := storetest.NewMemory(registries...)
				r := inState(t, store, c.status)
				_, err := store.UpdateRun(t.Context(), r.Registry, r.ID, func(r *drydock.RunRecord) error {
					r.Attempts, r.CancelRequested = c.attempts, c.cancel
					if r.Status == drydock.RunStarted || r.Status == drydock.RunRunning {
						r.Owner, r.LeaseUntil = "gone", time.Now().Add(c.lease)
					}
					return nil
				})
				check(t, err)
				var told []string
				openQueue(t, store, "new", func(cfg *queue.Config) {
					cfg.Alone = c.alone
					cfg.Recovered = func(_ context.Context, r drydock.RunRecord, reason string) {
						told = append(told, string(r.Status)+": "+reason)
					}
				})
				got := stored(t, store, r)
				if got.Status != c.want || got.Attempts != c.attempts || string(got.Result) != c.result {
					t.Errorf("it is %+v with result %s", got, got.Result)
				}
				changed := c.status != c.want
				if changed && (got.Owner != "" || !got.LeaseUntil.IsZero()) || c.want.Ended() == got.Finished.IsZero() && changed {
					t.Errorf("it is %+v", got)
				}
				if changed != (len(told) == 1) {
					t.Errorf("told of %q", told)
				}
			})
		})
	}
}

// A run whose server was killed is carried out by the next life, at most four
// times in all.
func TestRecoveryGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		r := inState(t, store, drydock.RunQueued)
		for life := range 4 {
			q := openQueue(t, store, string(rune('a'+life)), alone)
			c := claim(t, q)
			check(t, c.Start(t.Context()))
			if c.Run.Attempts != life+1 {
				t.Errorf("life %d has attempt %d", life, c.Run.Attempts)
			}
			q.Close()
		}
		openQueue(t, store, "z", alone)
		if got := stored(t, store, r); got.Status != drydock.RunFailed {
			t.Errorf("it is %+v", got)
		}
	})
}

// A server that has no store for too long loses its runs to another one, and
// what it does then does not count.
func TestLostRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory := storetest.NewMemory(registries...)
		store := &switchable{RunStore: memory}
		cut := openQueue(t, store, "cut off", oneSlot)
		r := enqueue(t, cut, 0)
		c := claim(t, cut)
		check(t, c.Start(t.Context()))
		other := openQueue(t, memory, "other", nil)
		claimNone(t, other, time.Hour) // the lease is kept

		store.broken.Store(true)
		start := time.Now()
		<-c.Context().Done()
		wantEnd(t, c, queue.ErrLost)
		if held := time.Since(start); held > 30*time.Second+1500*time.Millisecond {
			t.Errorf("the claim ended after %v without a store", held)
		}
		again := claim(t, other)
		if again.Run.ID != r.ID || again.Run.Attempts != 2 || time.Since(start) > 45*time.Second {
			t.Errorf("the other has %+v after %v", again.Run, time.Since(start))
		}
		store.broken.Store(false)
		wantCode(t, "finishing a lost run", c.Finish(t.Context(), drydock.RunSucceeded, nil), drydock.Conflict)
		finish(t, again, drydock.RunSucceeded)
		if got := stored(t, memory, r); got.Status != drydock.RunSucceeded || got.Attempts != 2 {
			t.Errorf("it is %+v", got)
		}
		enqueue(t, cut, 0)
		claim(t, cut) // the slot is free again
	})
}

// The holder of a run that is not in the store any more stops.
func TestDeletedRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &deleting{RunStore: storetest.NewMemory(registries...)}
		q := openQueue(t, store, "a", oneSlot)
		enqueue(t, q, 0)
		c := claim(t, q)
		store.deleted.Store(true)
		start := time.Now()
		<-c.Context().Done()
		wantEnd(t, c, queue.ErrLost)
		if waited := time.Since(start); waited > 2*time.Second {
			t.Errorf("noticed after %v", waited)
		}
		wantCode(t, "finishing it", c.Finish(t.Context(), drydock.RunFailed, nil), drydock.NotFound)
		if load := q.Load(registries[0], ""); load.Busy != 0 {
			t.Errorf("%d slots are in use", load.Busy)
		}
	})
}

type deleting struct {
	drydock.RunStore
	deleted atomic.Bool
}

func (d *deleting) Runs(ctx context.Context, f drydock.RunFilter) ([]drydock.RunRecord, error) {
	if d.deleted.Load() {
		return nil, nil
	}
	return d.RunStore.Runs(ctx, f)
}

func (d *deleting) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (drydock.RunRecord, error) {
	if d.deleted.Load() {
		return drydock.RunRecord{}, drydock.Errorf(drydock.NotFound, "there is no run %s", id)
	}
	return d.RunStore.UpdateRun(ctx, registry, id, change)
}

// A wall clock that jumps moves neither a run to another server nor its end.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"ahead": 24 * time.Hour, "back": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := storetest.NewMemory(registries...)
				var shift atomic.Int64
				q := openQueue(t, store, "a", func(c *queue.Config) {
					c.Now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
				})
				r := enqueue(t, q, 0)
				c := claim(t, q)
				check(t, c.Start(t.Context()))
				shift.Store(int64(jump))
				claimNone(t, q, time.Hour)
				wantEnd(t, c, nil)
				finish(t, c, drydock.RunSucceeded)
				if got := stored(t, store, r); got.Status != drydock.RunSucceeded || got.Attempts != 1 || got.Finished.Before(got.Started) {
					t.Errorf("it is %+v", got)
				}
			})
		})
	}
}
