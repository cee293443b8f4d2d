package storetest

import (
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var commitStatusTests = map[string]func(*testing.T, Store){
	"kept":  statusKept,
	"first": statusFirst,
	"old":   statusOld,
}

func statusKept(t *testing.T, s Store) {
	putRegistries(t, s)
	c := drydock.CommitStatus{
		Registry: registry, Run: "ca1", Task: registry.Child("tasks", "One"), Trigger: "t", Repository: "https://h/r.git",
		Commit: "abc", Pull: "7", Link: "secret", State: drydock.CommitPending, Text: "queued", Due: day, Created: day,
	}
	check(t, s.PutCommitStatus(t.Context(), c))
	c.State, c.Told, c.Attempts, c.Due = drydock.CommitSuccess, drydock.CommitPending, 3, time.Time{}
	check(t, s.PutCommitStatus(t.Context(), c))
	got, err := s.CommitStatus(t.Context(), registry, "CA1")
	check(t, err)
	same(t, "it", got, c)
	got, err = s.LinkedCommitStatus(t.Context(), "secret")
	check(t, err)
	same(t, "by its link", got, c)
	_, err = s.CommitStatus(t.Context(), other, "ca1")
	wantCode(t, "of another registry", err, drydock.NotFound)
	_, err = s.LinkedCommitStatus(t.Context(), "")
	wantCode(t, "no link", err, drydock.NotFound)
	check(t, s.DeleteResource(t.Context(), registry))
	_, err = s.CommitStatus(t.Context(), registry, "ca1")
	wantCode(t, "after its registry", err, drydock.NotFound)
	wantCode(t, "of no registry", s.PutCommitStatus(t.Context(), c), drydock.NotFound)
}

// statuses puts statuses of the runs ca1, ca2, …
func statuses(t *testing.T, s Store, all ...drydock.CommitStatus) []drydock.CommitStatus {
	t.Helper()
	putRegistries(t, s)
	for i := range all {
		run := drydock.RunID(int64(i + 1))
		all[i].Registry, all[i].Run, all[i].Link = registry, run, run
		check(t, s.PutCommitStatus(t.Context(), all[i]))
	}
	return all
}

func statusFirst(t *testing.T, s Store) {
	all := statuses(t, s, drydock.CommitStatus{Due: day.Add(2)}, drydock.CommitStatus{}, drydock.CommitStatus{Due: day.Add(1)}, drydock.CommitStatus{Due: day.Add(3)})
	got, err := s.FirstCommitStatuses(t.Context(), 2)
	check(t, err)
	same(t, "the first two", got, []drydock.CommitStatus{all[2], all[0]})
}

func statusOld(t *testing.T, s Store) {
	statuses(t, s, drydock.CommitStatus{Created: day}, drydock.CommitStatus{Created: day.Add(time.Hour)})
	check(t, s.DeleteCommitStatuses(t.Context(), day.Add(time.Hour)))
	_, err := s.CommitStatus(t.Context(), registry, drydock.RunID(1))
	wantCode(t, "the old one", err, drydock.NotFound)
	_, err = s.CommitStatus(t.Context(), registry, drydock.RunID(2))
	check(t, err)
}
