package queue_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/storetest"
)

func TestCancelQueued(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		q := openQueue(t, store, "a", nil)
		r, next := enqueue(t, q, 0), enqueue(t, q, 0)
		got, err := q.Cancel(t.Context(), r.Registry, r.ID)
		check(t, err)
		if got.Status != drydock.RunCanceled || !got.Finished.Equal(time.Now()) || stored(t, store, r).Status != drydock.RunCanceled {
			t.Errorf("it is %+v", got)
		}
		if load := q.Load(r.Registry, ""); load.Waiting != 1 {
			t.Errorf("%d runs wait", load.Waiting)
		}
		if c := claim(t, q); c.Run.ID != next.ID {
			t.Errorf("claimed %s", c.Run.ID)
		}
		_, err = q.Cancel(t.Context(), r.Registry, r.ID)
		wantCode(t, "again", err, drydock.Conflict)
		_, err = q.Cancel(t.Context(), r.Registry, "caz")
		wantCode(t, "a run that is not there", err, drydock.NotFound)
	})
}

func TestCancelRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		q, elsewhere := openQueue(t, store, "a", nil), openQueue(t, store, "b", nil)
		for name, canceler := range map[string]*queue.Queue{"here": q, "elsewhere": elsewhere} {
			r := enqueue(t, q, 0)
			c := claim(t, q)
			check(t, c.Start(t.Context()))
			time.Sleep(time.Minute)
			asked := time.Now()
			got, err := canceler.Cancel(t.Context(), r.Registry, r.ID)
			check(t, err)
			if got.Status != drydock.RunRunning || !got.CancelRequested {
				t.Errorf("%s: it is %+v", name, got)
			}
			<-c.Context().Done()
			if waited := time.Since(asked); waited > 2*time.Second || name == "here" && waited > 0 {
				t.Errorf("%s: noticed after %v", name, waited)
			}
			wantEnd(t, c, queue.ErrCancelRequested)
			check(t, c.Finish(t.Context(), drydock.RunCanceled, nil))
			if got := stored(t, store, r); got.Status != drydock.RunCanceled || got.Owner != "" {
				t.Errorf("%s: it ended as %+v", name, got)
			}
		}
	})
}

// Who was asked to cancel a run and hands it back has cancelled it.
func TestCancelledIsNotHandedBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		q := openQueue(t, store, "a", nil)
		r := enqueue(t, q, 0)
		c := claim(t, q)
		_, err := q.Cancel(t.Context(), r.Registry, r.ID)
		check(t, err)
		check(t, c.Release(t.Context()))
		if got := stored(t, store, r); got.Status != drydock.RunCanceled || !got.Finished.Equal(time.Now()) {
			t.Errorf("it is %+v", got)
		}
		claimNone(t, q, time.Minute)
	})
}

// A run that waits and is marked in the store, as by who stores that with
// something else, is not begun: by whoever would claim it, and by a later look.
func TestMarkedRunIsNotBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		var told []string
		q := openQueue(t, store, "a", func(c *queue.Config) {
			c.Slots = 1
			c.Recovered = func(_ context.Context, r drydock.RunRecord, reason string) { told = append(told, r.ID+" "+reason) }
		})
		mark := func(r drydock.RunRecord) {
			t.Helper()
			_, err := store.UpdateRun(t.Context(), r.Registry, r.ID, func(r *drydock.RunRecord) error {
				r.CancelRequested = true
				return nil
			})
			check(t, err)
		}
		unwanted, wanted, later := enqueue(t, q, 0), enqueue(t, q, 0), enqueue(t, q, 0)
		mark(unwanted)
		if c := claim(t, q); c.Run.ID != wanted.ID {
			t.Errorf("claimed %s", c.Run.ID)
		}
		mark(later)
		time.Sleep(time.Minute) // there is no slot
		for _, r := range []drydock.RunRecord{unwanted, later} {
			if got := stored(t, store, r); got.Status != drydock.RunCanceled || got.Finished.IsZero() || got.Attempts != 0 {
				t.Errorf("it is %+v", got)
			}
		}
		if load := q.Load(unwanted.Registry, ""); load.Waiting != 0 {
			t.Errorf("%d runs wait", load.Waiting)
		}
		if want := []string{unwanted.ID + " it was cancelled while it waited", later.ID + " it was cancelled while it waited"}; !slices.Equal(told, want) {
			t.Errorf("told %q", told)
		}
	})
}
