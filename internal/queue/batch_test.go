package queue_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/storetest"
)

func enqueueBatch(t *testing.T, q *queue.Queue, registry int, batch string) drydock.RunRecord {
	t.Helper()
	r, err := q.Enqueue(t.Context(), drydock.RunRecord{Registry: registries[registry], Batch: batch, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	return r
}

// The runs of a batch leave room for others, and keep their order.
func TestBatchesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := openQueue(t, storetest.NewMemory(registries...), "a", oneSlot)
		for range 5 {
			enqueueBatch(t, q, 0, "storm")
		}
		enqueueBatch(t, q, 0, "") // ca6
		enqueueBatch(t, q, 0, "later")
		enqueueBatch(t, q, 0, "") // ca8
		var order []string
		for range 8 {
			c := claim(t, q)
			order = append(order, c.Run.ID)
			finish(t, c, drydock.RunSucceeded)
		}
		want := []string{"ca1", "ca6", "ca7", "ca2", "ca8", "ca3", "ca4", "ca5"}
		if !slices.Equal(order, want) {
			t.Errorf("the order is %v, want %v", order, want)
		}
	})
}

// Of a batch at most so many runs are carried out at a time, in all registries
// together.
func TestBatchIsLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		q := openQueue(t, store, "a", func(c *queue.Config) { c.Slots, c.Batch = 8, 2 })
		for i := range 6 {
			enqueueBatch(t, q, i%2, "storm")
		}
		held := []*queue.Claim{claim(t, q), claim(t, q)}
		claims := make(chan *queue.Claim)
		go func() {
			for range 5 {
				c, err := q.Claim(t.Context())
				if err != nil {
					t.Error(err)
				}
				claims <- c
			}
		}()
		synctest.Wait()
		select {
		case c := <-claims:
			t.Fatalf("run %s is the third of its batch", c.Run.ID)
		default:
		}
		enqueueBatch(t, q, 0, "")
		if c := <-claims; c.Run.Batch != "" {
			t.Errorf("run %s is of the batch", c.Run.ID)
		}
		finish(t, held[0], drydock.RunFailed)
		third := <-claims
		check(t, third.Release(t.Context())) // goes back, and comes again
		again := <-claims
		if again.Run.ID != third.Run.ID {
			t.Errorf("after run %s was handed back comes %s", third.Run.ID, again.Run.ID)
		}
		_, err := q.Cancel(t.Context(), registries[1], "ca3")
		check(t, err)
		finish(t, held[1], drydock.RunSucceeded)
		finish(t, again, drydock.RunSucceeded)
		for range 2 {
			finish(t, <-claims, drydock.RunSucceeded)
		}
		if load := q.Load(registries[0], ""); load.Busy != 1 || load.Waiting != 0 {
			t.Errorf("at the end there is %+v", load)
		}
	})
}
