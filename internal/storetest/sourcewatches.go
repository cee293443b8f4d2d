package storetest

import (
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var sourceWatchTests = map[string]func(*testing.T, Store){
	"kept":  watchKept,
	"first": watchFirst,
}

func putWatch(t *testing.T, s Store, w drydock.SourceWatch) drydock.SourceWatch {
	t.Helper()
	w, err := s.PutSourceWatch(t.Context(), w)
	check(t, err)
	return w
}

func watchKept(t *testing.T, s Store) {
	// There is no such task: a watch outlives its own.
	one := putWatch(t, s, drydock.SourceWatch{
		ID: "one", Task: registry.Child("tasks", "One"), Trigger: "t", Repository: "https://h/r.git#main", Commit: true,
		State: drydock.WatchWebhook, Provider: "Gitea", Hook: "7", Secrets: []byte{0, 1}, Problem: "none", Failure: "away",
		Seen: []byte(`{}`), Changes: 3, Due: day, Failures: 2, Looked: day, Delivered: day.Add(1), Missed: day.Add(2), Rearm: day.Add(3),
	})
	two := putWatch(t, s, drydock.SourceWatch{ID: "two", Task: registry.Child("tasks", "one-more"), Trigger: "t", Pull: true})
	got, err := s.SourceWatch(t.Context(), "one")
	check(t, err)
	same(t, "it", got, one)
	changed := one
	changed.State, changed.Due, changed.Secrets, changed.Pull = drydock.WatchRemoving, day.Add(time.Hour), nil, true
	changed = putWatch(t, s, changed)
	_, err = s.PutSourceWatch(t.Context(), one)
	wantCode(t, "a change of what was changed meanwhile", err, drydock.Conflict)
	_, err = s.PutSourceWatch(t.Context(), drydock.SourceWatch{ID: "two"})
	wantCode(t, "a second one of an id", err, drydock.Conflict)
	watches := func(what string, below drydock.ResourceID, want ...drydock.SourceWatch) {
		t.Helper()
		got, err := s.SourceWatches(t.Context(), below)
		check(t, err)
		same(t, what, got, want)
	}
	watches("those of a task", registry.Child("tasks", "ONE"), changed)
	watches("those of a registry", registry, changed, two)
	watches("those of another registry", other)
	watches("all", drydock.ResourceID{}, changed, two)
	check(t, s.DeleteSourceWatch(t.Context(), "one"))
	wantCode(t, "again", s.DeleteSourceWatch(t.Context(), "one"), drydock.NotFound)
	_, err = s.SourceWatch(t.Context(), "one")
	wantCode(t, "after it", err, drydock.NotFound)
	_, err = s.PutSourceWatch(t.Context(), changed)
	wantCode(t, "a change of what is gone", err, drydock.Conflict)
}

func watchFirst(t *testing.T, s Store) {
	var watches []drydock.SourceWatch
	for i, id := range []string{"c", "a", "b"} {
		watches = append(watches, drydock.SourceWatch{ID: id, Task: registry, Due: day.Add(time.Duration(i) * time.Hour)})
	}
	for _, i := range []int{2, 0, 1} {
		watches[i] = putWatch(t, s, watches[i])
	}
	got, err := s.FirstSourceWatches(t.Context(), 2)
	check(t, err)
	same(t, "the first two", got, watches[:2])
}
