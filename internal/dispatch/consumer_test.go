package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/dispatch"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

func newStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func appendEvents(t *testing.T, s *sqlstore.Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if _, err := s.AppendEvent(t.Context(), drydock.Event{ID: id, Kind: "test"}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventsComeInOrderAndOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	appendEvents(t, s, "a", "b", "c")
	got := make(chan string, 10)
	c := &dispatch.Consumer{
		Name: "test", Events: s, Store: s, Log: slog.New(slog.DiscardHandler), Batch: 2, Poll: time.Hour,
		Handle: func(_ context.Context, events []drydock.Event) ([]drydock.RunRecord, error) {
			var runs []drydock.RunRecord
			for _, e := range events {
				runs = append(runs, drydock.RunRecord{Task: e.ID})
			}
			return runs, nil
		},
		Created: func(runs ...drydock.RunRecord) { // when all is stored
			for _, r := range runs {
				got <- r.Task
			}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	want := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			select {
			case g := <-got:
				if g != id {
					t.Errorf("%s instead of %s", g, id)
				}
			case <-time.After(time.Minute):
				t.Fatal("no event")
			}
		}
	}
	want("a", "b", "c")
	appendEvents(t, s, "d") // found without a poll
	want("d")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	again := *c
	if more, err := again.Next(t.Context()); more || err != nil {
		t.Error("handled twice: ", err)
	}
}

// What a handler wrote goes with the cursor, and an event that can't be handled
// holds up neither those before nor those behind it.
func TestBadEventsArePassedOver(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	appendEvents(t, s, "a", "bad", "c")
	c := &dispatch.Consumer{
		Name: "test", Events: s, Store: s, Log: slog.New(slog.DiscardHandler),
		Handle: func(ctx context.Context, events []drydock.Event) ([]drydock.RunRecord, error) {
			for _, e := range events {
				if err := s.PutSetting(ctx, e.ID, []byte("x")); err != nil {
					return nil, err
				}
				if e.ID == "bad" {
					return nil, errors.New("can't be read")
				}
			}
			return nil, nil
		},
	}
	if _, err := c.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, id := range []string{"a", "bad", "c"} {
		if _, err := s.Setting(t.Context(), id); err == nil {
			kept = append(kept, id)
		}
	}
	if !slices.Equal(kept, []string{"a", "c"}) {
		t.Error(kept)
	}
	if at, err := s.EventCursor(t.Context(), "test"); at != 3 || err != nil {
		t.Error(at, err)
	}
}

func TestTroubleOfTheStoreIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	appendEvents(t, s, "a")
	tries := 0
	var created []drydock.RunRecord
	c := &dispatch.Consumer{
		Name: "test", Events: s, Store: s, Log: slog.New(slog.DiscardHandler),
		Created: func(runs ...drydock.RunRecord) { created = append(created, runs...) },
		Handle: func(context.Context, []drydock.Event) ([]drydock.RunRecord, error) {
			if tries++; tries == 1 {
				return nil, fmt.Errorf("writing: %w", drydock.Errorf(drydock.Unavailable, "the disk is full"))
			}
			return []drydock.RunRecord{{ID: "ca1"}}, nil
		},
	}
	if _, err := c.Next(t.Context()); drydock.CodeOf(err) != drydock.Unavailable {
		t.Fatal(err)
	}
	if at, err := s.EventCursor(t.Context(), "test"); at != 0 || err != nil || created != nil {
		t.Fatal(at, err, created)
	}
	if more, err := c.Next(t.Context()); !more || err != nil {
		t.Fatal(err)
	}
	if len(created) != 1 {
		t.Error("the queue was not told of the run")
	}
}
