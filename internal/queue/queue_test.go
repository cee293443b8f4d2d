package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/storetest"
)

func TestLifeOfARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		q := openQueue(t, store, "a", nil)
		created := time.Now()
		r := enqueue(t, q, 0)
		time.Sleep(time.Second)
		c := claim(t, q)
		if c.Run.ID != r.ID || c.Run.Status != drydock.RunStarted || c.Run.Owner != "a" || c.Run.Attempts != 1 ||
			!c.Run.Started.Equal(created.Add(time.Second)) || !c.Run.LeaseUntil.Equal(created.Add(31*time.Second)) {
			t.Errorf("claimed %+v", c.Run)
		}
		check(t, c.Start(t.Context()))
		check(t, c.Update(t.Context(), func(r *drydock.RunRecord) { r.Trigger, r.Status = []byte("x"), drydock.RunFailed }))
		time.Sleep(time.Hour)
		if got := stored(t, store, r); got.Status != drydock.RunRunning || string(got.Trigger) != "x" {
			t.Errorf("while it runs it is %+v", got)
		}
		wantEnd(t, c, nil)
		check(t, c.Finish(t.Context(), drydock.RunSucceeded, []byte(`{"a":1}`)))
		got := stored(t, store, r)
		if got.Status != drydock.RunSucceeded || string(got.Result) != `{"a":1}` || got.Owner != "" ||
			!got.LeaseUntil.IsZero() || !got.Finished.Equal(created.Add(time.Second+time.Hour)) {
			t.Errorf("finished as %+v", got)
		}
		wantCode(t, "finished again", c.Finish(t.Context(), drydock.RunFailed, nil), drydock.Conflict)
		if err := c.Finish(t.Context(), drydock.RunRunning, nil); err == nil {
			t.Error("Running is taken for an end")
		}
		if load := q.Load(r.Registry, ""); load != (queue.Load{Slots: 4}) {
			t.Errorf("at the end there is %+v", load)
		}
	})
}

func TestClaimWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		q := openQueue(t, store, "a", oneSlot)
		start := time.Now()
		claims := make(chan *queue.Claim)
		go func() {
			for range 3 {
				c, err := q.Claim(t.Context())
				if err != nil {
					t.Error(err)
				}
				claims <- c
			}
		}()
		time.Sleep(time.Second)
		for range 3 {
			enqueue(t, q, 0)
		}
		first := <-claims // at once, not with the next poll
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("claimed after %v", waited)
		}
		time.Sleep(time.Minute) // for the only slot
		if load := q.Load(registries[0], ""); load.Busy != 1 || load.Waiting != 2 || !load.Oldest.Equal(start.Add(time.Second)) {
			t.Errorf("there is %+v", load)
		}
		select {
		case <-claims:
			t.Error("claimed without a slot")
		default:
		}
		finish(t, first, drydock.RunSucceeded)
		second := <-claims
		if waited := time.Since(start); waited != time.Second+time.Minute {
			t.Errorf("claimed the second after %v", waited)
		}
		check(t, second.Release(t.Context()))
		third := <-claims
		if third.Run.ID != second.Run.ID || third.Run.Attempts != 1 {
			t.Errorf("after run %s was handed back comes %s, attempt %d", second.Run.ID, third.Run.ID, third.Run.Attempts)
		}
	})
}

// The oldest first, and no registry waits for all runs of another.
func TestOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := openQueue(t, storetest.NewMemory(registries...), "a", func(c *queue.Config) { c.Slots = 2 })
		for _, registry := range []int{0, 0, 0, 0, 0, 1, 1} {
			enqueue(t, q, registry)
			time.Sleep(time.Millisecond)
		}
		var order []string
		held := []*queue.Claim{claim(t, q), claim(t, q)}
		for len(held) > 0 {
			r := held[0].Run
			order = append(order, r.Registry.Name()+" "+r.ID)
			finish(t, held[0], drydock.RunSucceeded)
			held = held[1:]
			if len(order)+len(held) < 7 {
				held = append(held, claim(t, q))
			}
		}
		want := "contoso ca1, Fabrikam ca1, contoso ca2, Fabrikam ca2, contoso ca3, contoso ca4, contoso ca5"
		if got := strings.Join(order, ", "); got != want {
			t.Errorf("the order is\n%s, want\n%s", got, want)
		}
	})
}

func TestPools(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := openQueue(t, storetest.NewMemory(registries...), "a", oneSlot)
		big := drydock.RunRecord{Registry: registries[0], Pool: "Big"}
		_, err := q.Enqueue(t.Context(), big)
		wantCode(t, "a pool that is not there", err, drydock.Invalid)
		q.SetSlots(registries[0], "big", 1)
		_, err = q.Enqueue(t.Context(), big)
		check(t, err)
		_, err = q.Enqueue(t.Context(), drydock.RunRecord{Registry: registries[1], Pool: "big"})
		wantCode(t, "a pool of another registry", err, drydock.Invalid)

		enqueue(t, q, 0)
		enqueue(t, q, 0)
		pools := map[string]int{}
		one, two := claim(t, q), claim(t, q)
		pools[one.Run.Pool]++
		pools[two.Run.Pool]++
		if pools[""] != 1 || pools["Big"] != 1 {
			t.Errorf("claimed from %v", pools)
		}
		var loads []string
		for _, l := range q.Loads() {
			loads = append(loads, fmt.Sprintf("%s/%s %d of %d, %d", l.Registry, l.Pool, l.Busy, l.Slots, l.Waiting))
		}
		if want := []string{"/ 1 of 1, 1", strings.ToLower(registries[0].Name()) + "/big 1 of 1, 0"}; !slices.Equal(loads, want) {
			t.Errorf("the loads are %q, not %q", loads, want)
		}
		claimNone(t, q, time.Minute)
		q.SetSlots(registries[0], "", 2)
		finish(t, claim(t, q), drydock.RunSucceeded)

		q.SetSlots(registries[0], "big", 0)
		_, err = q.Enqueue(t.Context(), big)
		wantCode(t, "a pool that is gone", err, drydock.Invalid)
		if one.Run.Pool == "" {
			one, two = two, one
		}
		finish(t, one, drydock.RunSucceeded)
		if loads := q.Loads(); len(loads) != 1 {
			t.Errorf("with the pool gone the loads are %+v", loads)
		}
	})
}

func TestRunsThatNobodyToldOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		before := inState(t, store, drydock.RunQueued)
		q := openQueue(t, store, "a", alone)
		if c := claim(t, q); c.Run.ID != before.ID {
			t.Errorf("claimed %s", c.Run.ID)
		}
		start := time.Now()
		late := inState(t, store, drydock.RunQueued)
		c := claim(t, q)
		if waited := time.Since(start); c.Run.ID != late.ID || waited > 10*time.Second {
			t.Errorf("claimed %s after %v", c.Run.ID, waited)
		}
	})
}

func TestTwoServersShareRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		for range 6 {
			inState(t, store, drydock.RunQueued)
		}
		a, b := openQueue(t, store, "a", nil), openQueue(t, store, "b", nil)
		seen := map[string]bool{}
		for _, q := range []*queue.Queue{a, b, b, a, a, b} {
			seen[claim(t, q).Run.ID] = true
		}
		if len(seen) != 6 {
			t.Errorf("six claims gave %v", seen)
		}
		claimNone(t, b, time.Hour)
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory(registries...)
		q := openQueue(t, store, "a", nil)
		r := enqueue(t, q, 0)
		c := claim(t, q)
		waiting := make(chan error)
		go func() {
			_, err := q.Claim(t.Context())
			waiting <- err
		}()
		synctest.Wait()
		q.Close()
		if err := <-waiting; !errors.Is(err, queue.ErrClosed) {
			t.Errorf("who waited for a claim got %v", err)
		}
		wantEnd(t, c, queue.ErrClosed)
		check(t, c.Release(t.Context()))
		if got := stored(t, store, r); got.Status != drydock.RunQueued || got.Attempts != 0 {
			t.Errorf("handed back it is %+v", got)
		}
	})
}

func TestClaimGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := openQueue(t, storetest.NewMemory(registries...), "a", nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("draining")
		go func() {
			time.Sleep(time.Second)
			cancel(why)
		}()
		if _, err := q.Claim(ctx); !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
	})
}

// A store that is out of order costs time, not runs.
func TestStoreOutOfOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &switchable{RunStore: storetest.NewMemory(registries...)}
		q := openQueue(t, store, "a", func(c *queue.Config) { c.Alone, c.Slots = true, 1 })
		r := enqueue(t, q, 0)
		c := claim(t, q)
		check(t, c.Start(t.Context()))
		store.broken.Store(true)
		_, err := q.Enqueue(t.Context(), drydock.RunRecord{Registry: registries[0]})
		wantCode(t, "enqueueing", err, drydock.Unavailable)

		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := c.Finish(ctx, drydock.RunSucceeded, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("finishing for an hour: %v", err)
		}
		wantEnd(t, c, nil) // nobody else is there to take it
		go func() {
			time.Sleep(time.Minute)
			store.broken.Store(false)
		}()
		check(t, c.Finish(t.Context(), drydock.RunSucceeded, nil))
		if got := stored(t, store, r); got.Status != drydock.RunSucceeded || got.Attempts != 1 {
			t.Errorf("it is %+v", got)
		}

		next := enqueue(t, q, 0)
		store.broken.Store(true)
		if _, err := q.Claim(t.Context()); drydock.CodeOf(err) != drydock.Unavailable {
			t.Errorf("claiming: %v", err)
		}
		store.broken.Store(false)
		if c := claim(t, q); c.Run.ID != next.ID {
			t.Errorf("claimed %s", c.Run.ID)
		}
	})
}
