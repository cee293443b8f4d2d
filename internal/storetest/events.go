package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var eventTests = map[string]func(*testing.T, Store){
	"kept":    eventKept,
	"ordered": eventOrdered,
	"cursors": eventCursors,
	"deleted": eventDeleted,
}

func appendEvent(t *testing.T, s drydock.EventStore, id string, at time.Time) drydock.Event {
	t.Helper()
	e, err := s.AppendEvent(t.Context(), drydock.Event{ID: id, Kind: "push", Time: at})
	check(t, err)
	return e
}

func eventKept(t *testing.T, s Store) {
	e := drydock.Event{ID: "d1", Kind: "push", Subject: registry, Data: []byte(`{"tag":"ü"}`), Time: day}
	stored, err := s.AppendEvent(t.Context(), e)
	check(t, err)
	e.Number = 1
	same(t, "stored", stored, e)
	next := appendEvent(t, s, "d2", day)
	again, err := s.AppendEvent(t.Context(), drydock.Event{ID: "d1", Kind: "delete"})
	check(t, err)
	same(t, "a second delivery", again, e)
	all, err := s.Events(t.Context(), 0, 10)
	check(t, err)
	same(t, "all", all, []drydock.Event{e, next})
	rest, err := s.Events(t.Context(), e.Number, 10)
	check(t, err)
	same(t, "those after the first", rest, []drydock.Event{next})
	first, err := s.Events(t.Context(), 0, 1)
	check(t, err)
	same(t, "at most one", first, []drydock.Event{e})
}

// A reader that follows must not pass over an event that is written later with
// a smaller number.
func eventOrdered(t *testing.T, s Store) {
	const writers, each = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				e := drydock.Event{ID: fmt.Sprint(w, "-", i), Time: day}
				if _, err := s.AppendEvent(t.Context(), e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var last int64
	seen := 0
	for finished := false; ; {
		found, err := s.Events(t.Context(), last, 7)
		check(t, err)
		for _, e := range found {
			if e.Number <= last {
				t.Fatalf("event %d after %d", e.Number, last)
			}
			last = e.Number
		}
		seen += len(found)
		if finished && len(found) == 0 {
			break
		}
		select {
		case <-done:
			finished = true
		default:
		}
	}
	if seen != writers*each {
		t.Errorf("a follower saw %d events of %d", seen, writers*each)
	}
}

func eventCursors(t *testing.T, s Store) {
	for _, step := range []struct {
		consumer   string
		move, want int64
	}{{"triggers", 0, 0}, {"triggers", 3, 3}, {"triggers", 2, 3}, {"webhooks", 1, 1}, {"triggers", 4, 4}} {
		check(t, s.MoveEventCursor(t.Context(), step.consumer, step.move))
		got, err := s.EventCursor(t.Context(), step.consumer)
		check(t, err)
		if got != step.want {
			t.Errorf("moved to %d, the cursor of %s is at %d, want %d", step.move, step.consumer, got, step.want)
		}
	}
	got, err := s.EventCursor(t.Context(), "new")
	check(t, err)
	if got != 0 {
		t.Errorf("a new consumer is at %d", got)
	}
}

func eventDeleted(t *testing.T, s Store) {
	var numbers []int64
	for i := range 4 {
		numbers = append(numbers, appendEvent(t, s, fmt.Sprint(i), day.Add(time.Duration(i)*time.Hour)).Number)
	}
	check(t, s.MoveEventCursor(t.Context(), "fast", numbers[3]))
	check(t, s.MoveEventCursor(t.Context(), "slow", numbers[0]))
	remaining := func(what string, want ...int64) {
		t.Helper()
		found, err := s.Events(t.Context(), 0, 10)
		check(t, err)
		var got []int64
		for _, e := range found {
			got = append(got, e.Number)
		}
		same(t, what, got, want)
	}
	check(t, s.DeleteEvents(t.Context(), day.Add(2*time.Hour)))
	remaining("one consumer is not done", numbers[1:]...)
	check(t, s.MoveEventCursor(t.Context(), "slow", numbers[3]))
	check(t, s.DeleteEvents(t.Context(), day.Add(2*time.Hour)))
	remaining("all are done, two are old", numbers[2:]...)
	if e := appendEvent(t, s, "new", day); e.Number <= numbers[3] {
		t.Errorf("number %d was given out again", e.Number)
	}
}
