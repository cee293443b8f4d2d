package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
)

var atomicTests = map[string]func(*testing.T, Store){
	"all or nothing": atomicAllOrNothing,
	"panics":         atomicPanics,
	"serial":         atomicSerial,
}

func atomicAllOrNothing(t *testing.T, s Store) {
	putRegistries(t, s)
	wrong := errors.New("wrong")
	consume := func(result error) error {
		return s.Atomically(t.Context(), func(ctx context.Context) error {
			run, err := s.CreateRun(ctx, drydock.RunRecord{Registry: registry})
			if err != nil {
				return err
			}
			if _, err := s.Run(ctx, registry, run.ID); err != nil {
				t.Errorf("reading what was written in the transaction: %v", err)
			}
			err = s.Atomically(ctx, func(ctx context.Context) error {
				_, err := s.AppendEvent(ctx, drydock.Event{ID: run.ID})
				return err
			})
			return errors.Join(err, s.MoveEventCursor(ctx, "triggers", 7), result)
		})
	}
	if err := consume(wrong); !errors.Is(err, wrong) {
		t.Fatalf("got %v, want %v", err, wrong)
	}
	for _, want := range []int{0, 1} {
		runs, err := s.Runs(t.Context(), drydock.RunFilter{})
		check(t, err)
		events, err := s.Events(t.Context(), 0, 10)
		check(t, err)
		cursor, err := s.EventCursor(t.Context(), "triggers")
		check(t, err)
		if len(runs) != want || len(events) != want || cursor != int64(7*want) {
			t.Fatalf("%d runs, %d events, cursor %d; want all %d times", len(runs), len(events), cursor, want)
		}
		if want == 0 {
			check(t, consume(nil))
		}
	}
}

func atomicPanics(t *testing.T, s Store) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		s.Atomically(t.Context(), func(ctx context.Context) error {
			check(t, s.PutSetting(ctx, "a", nil))
			panic("in a transaction")
		})
	}()
	_, err := s.Setting(t.Context(), "a")
	wantCode(t, "what was written before the panic", err, drydock.NotFound)
	check(t, s.PutSetting(t.Context(), "b", nil))
}

// Read, change, write from many sides: no change is lost.
func atomicSerial(t *testing.T, s Store) {
	check(t, s.PutSetting(t.Context(), "n", []byte{0}))
	const workers, each = 4, 10
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				err := s.Atomically(t.Context(), func(ctx context.Context) error {
					n, err := s.Setting(ctx, "n")
					if err != nil {
						return err
					}
					return s.PutSetting(ctx, "n", []byte{n[0] + 1})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	n, err := s.Setting(t.Context(), "n")
	check(t, err)
	same(t, "count", n, []byte{workers * each})
}
