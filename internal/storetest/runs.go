package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var runTests = map[string]func(*testing.T, drydock.RunStore){
	"kept":         runKept,
	"numbered":     runNumbered,
	"many":         runMany,
	"updated":      runUpdated,
	"update races": runUpdateRaces,
	"filters":      runFilters,
	"output":       runOutputs,
	"paged":        runPaged,
	"deleted":      runsDeleted,
}

// Runs runs the suite of run stores alone. newStore returns one without runs
// that has the registries of Registries.
func Runs(t *testing.T, newStore func(t *testing.T) drydock.RunStore) {
	for name, test := range runTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newStore(t))
		})
	}
}

func fullRun() drydock.RunRecord {
	return drydock.RunRecord{
		Registry: registry, Type: drydock.QuickBuild, Task: "Nightly", Pool: "Big",
		Request: []byte(`{"a":1}`), Secrets: []byte{0, 255}, Trigger: []byte(`{"b":2}`), Result: []byte(`{"c":3}`),
		Created: day, Started: day.Add(1), Finished: day.Add(2), Updated: day.Add(3),
		Archived: true, CancelRequested: true, Attempts: 2, Owner: "me", LeaseUntil: day.Add(4),
		Root: 7, Batch: "b", Altered: true,
	}
}

func create(t *testing.T, s drydock.RunStore, r drydock.RunRecord) drydock.RunRecord {
	t.Helper()
	r, err := s.CreateRun(t.Context(), r)
	check(t, err)
	return r
}

func runKept(t *testing.T, s drydock.RunStore) {
	r := fullRun()
	r.Status = drydock.RunSucceeded // no matter: a new run is queued
	r.Registry = mustID(strings.ToUpper(registry.String()))
	stored := create(t, s, r)
	r.Registry, r.Number, r.ID, r.Status = registry, 1, "ca1", drydock.RunQueued
	same(t, "stored", stored, r)
	for _, id := range []string{"ca1", "CA1"} {
		got, err := s.Run(t.Context(), mustID(registry.Key()), id)
		check(t, err)
		same(t, "read as "+id, got, r)
	}
	all, err := s.Runs(t.Context(), drydock.RunFilter{})
	check(t, err)
	same(t, "listed", all, []drydock.RunRecord{r})
	brief, err := s.Runs(t.Context(), drydock.RunFilter{Brief: true})
	check(t, err)
	r.Request, r.Secrets, r.Trigger, r.Result = nil, nil, nil, nil
	same(t, "in brief", brief, []drydock.RunRecord{r})

	empty := create(t, s, drydock.RunRecord{Registry: other})
	got, err := s.Run(t.Context(), other, empty.ID)
	check(t, err)
	same(t, "an empty one", got, empty)
	if got.Request != nil || got.Result != nil || !got.Started.IsZero() {
		t.Errorf("what was not there has become %v %v %v", got.Request, got.Result, got.Started)
	}
	for _, id := range []string{"ca2", "", "%", "ca1 "} {
		_, err := s.Run(t.Context(), registry, id)
		wantCode(t, "run "+id, err, drydock.NotFound)
	}
	_, err = s.Run(t.Context(), group, "ca1")
	wantCode(t, "a run of no registry", err, drydock.NotFound)
}

func runNumbered(t *testing.T, s drydock.RunStore) {
	const workers, each = 4, 10
	ids := make([][]string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				r, err := s.CreateRun(t.Context(), drydock.RunRecord{Registry: registry})
				if err != nil {
					t.Error(err)
				}
				ids[w] = append(ids[w], r.ID)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, list := range ids {
		for i, id := range list {
			seen[id] = true
			if i > 0 && id <= list[i-1] {
				t.Errorf("run %s was made after %s", id, list[i-1])
			}
		}
	}
	for n := range workers * each {
		if id := drydock.RunID(int64(n + 1)); !seen[id] {
			t.Errorf("no run %s", id)
		}
	}
	if r := create(t, s, drydock.RunRecord{Registry: other}); r.Number != 1 {
		t.Errorf("another registry begins at %d", r.Number)
	}
	_, err := s.CreateRun(t.Context(), drydock.RunRecord{Registry: mustID(registry.String() + "-none")})
	wantCode(t, "a run of a registry that is not there", err, drydock.NotFound)
}

// Many runs at once are numbered as if they had come one by one, and are stored
// all or not at all.
func runMany(t *testing.T, s drydock.RunStore) {
	create(t, s, drydock.RunRecord{Registry: registry})
	var runs []drydock.RunRecord
	for i := range 50 {
		r := drydock.RunRecord{Registry: registry, Task: fmt.Sprint("t", i), Created: day, Root: int64(i % 3)}
		if i%5 == 0 {
			r.Registry = mustID(other.Key())
		}
		runs = append(runs, r)
	}
	created, err := s.CreateRuns(t.Context(), runs)
	check(t, err)
	next := map[string]int64{registry.Key(): 1}
	for i, r := range created {
		key := r.Registry.Key()
		next[key]++
		if r.Number != next[key] || r.ID != drydock.RunID(r.Number) || r.Task != runs[i].Task || r.Root == 0 || r.Status != drydock.RunQueued {
			t.Errorf("run %d is %+v", i, r)
		}
		stored, err := s.Run(t.Context(), r.Registry, r.ID)
		check(t, err)
		same(t, "stored", stored, r)
	}
	_, err = s.CreateRuns(t.Context(), append(runs[:3:3], drydock.RunRecord{Registry: mustID(registry.String() + "-none")}))
	wantCode(t, "one of a registry that is not there", err, drydock.NotFound)
	if r := create(t, s, drydock.RunRecord{Registry: registry}); r.Number != next[registry.Key()]+1 {
		t.Errorf("after a failure the next number is %d", r.Number)
	}
	if events, ok := s.(drydock.EventStore); ok {
		e := appendEvent(t, events, "e", day)
		if r := create(t, s, drydock.RunRecord{Registry: registry}); r.After != e.Number || r.Root != e.Number+1 {
			t.Errorf("a run after event %d is after %d, its root %d", e.Number, r.After, r.Root)
		}
	}
	none, err := s.CreateRuns(t.Context(), nil)
	check(t, err)
	same(t, "none", none, nil)
}

func runUpdated(t *testing.T, s drydock.RunStore) {
	stored := create(t, s, drydock.RunRecord{Registry: registry, Created: day})
	want := fullRun()
	want.Number, want.ID, want.Status = stored.Number, stored.ID, drydock.RunTimeout
	got, err := s.UpdateRun(t.Context(), mustID(registry.Key()), "CA1", func(r *drydock.RunRecord) error {
		same(t, "given to change", *r, stored)
		*r = want
		r.Registry, r.ID, r.Number = other, "zz", 9
		return nil
	})
	check(t, err)
	same(t, "returned", got, want)
	got, err = s.Run(t.Context(), registry, stored.ID)
	check(t, err)
	same(t, "read", got, want)

	wrong := errors.New("wrong")
	_, err = s.UpdateRun(t.Context(), registry, stored.ID, func(r *drydock.RunRecord) error {
		r.Status = drydock.RunFailed
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("got %v, want %v", err, wrong)
	}
	got, err = s.Run(t.Context(), registry, stored.ID)
	check(t, err)
	same(t, "after a change that failed", got, want)
	_, err = s.UpdateRun(t.Context(), registry, "ca2", func(*drydock.RunRecord) error {
		t.Error("there is nothing to change")
		return nil
	})
	wantCode(t, "none", err, drydock.NotFound)
}

// Of many that move one run from the same state, one succeeds.
func runUpdateRaces(t *testing.T, s drydock.RunStore) {
	stored := create(t, s, drydock.RunRecord{Registry: registry})
	const servers = 8
	lost := errors.New("somebody else has it")
	errs := make([]error, servers)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() {
			_, errs[i] = s.UpdateRun(t.Context(), registry, stored.ID, func(r *drydock.RunRecord) error {
				if r.Status != drydock.RunQueued {
					return lost
				}
				r.Status, r.Owner = drydock.RunStarted, fmt.Sprint(i)
				r.Attempts++
				return nil
			})
		})
	}
	wg.Wait()
	got, err := s.Run(t.Context(), registry, stored.ID)
	check(t, err)
	if got.Attempts != 1 {
		t.Errorf("it was started %d times", got.Attempts)
	}
	for i, err := range errs {
		if won := got.Owner == fmt.Sprint(i); won && err != nil || !won && !errors.Is(err, lost) {
			t.Errorf("server %d got %v, and %s has the run", i, err, got.Owner)
		}
	}
}

func runFilters(t *testing.T, s drydock.RunStore) {
	yes, no, big := true, false, "BIG"
	finish := func(r drydock.RunRecord, status drydock.RunStatus) {
		_, err := s.UpdateRun(t.Context(), r.Registry, r.ID, func(r *drydock.RunRecord) error {
			r.Status = status
			if status.Ended() {
				r.Finished = r.Created.Add(time.Minute)
			}
			return nil
		})
		check(t, err)
	}
	at := func(hours int) time.Time { return day.Add(time.Duration(hours) * time.Hour) }
	finish(create(t, s, drydock.RunRecord{Registry: registry, Task: "Build", Type: drydock.AutoBuild, Created: at(1)}), drydock.RunSucceeded)
	finish(create(t, s, drydock.RunRecord{Registry: registry, Task: "build", Type: drydock.AutoRun, Created: at(2)}), drydock.RunFailed)
	finish(create(t, s, drydock.RunRecord{Registry: registry, Type: drydock.QuickRun, Created: at(3), Pool: "big"}), drydock.RunRunning)
	finish(create(t, s, drydock.RunRecord{Registry: other, Task: "build", Created: at(4)}), drydock.RunStarted)
	create(t, s, drydock.RunRecord{Registry: registry, Task: "test", Created: at(5), Archived: true})
	finish(create(t, s, drydock.RunRecord{Registry: registry, Task: "test", Created: at(0)}), drydock.RunTimeout) // the clock went back
	for name, c := range map[string]struct {
		filter drydock.RunFilter
		want   string
	}{
		"all":                  {drydock.RunFilter{}, "contoso/ca4 Fabrikam/ca1 contoso/ca3 contoso/ca2 contoso/ca1 contoso/ca5"},
		"a registry":           {drydock.RunFilter{Registry: mustID(registry.Key())}, "contoso/ca5 contoso/ca4 contoso/ca3 contoso/ca2 contoso/ca1"},
		"ids":                  {drydock.RunFilter{Registry: registry, IDs: []string{"CA2", "ca5", "ca9"}}, "contoso/ca5 contoso/ca2"},
		"a task":               {drydock.RunFilter{Tasks: []string{"BUILD"}}, "Fabrikam/ca1 contoso/ca2 contoso/ca1"},
		"a task of a registry": {drydock.RunFilter{Registry: registry, Tasks: []string{"build"}}, "contoso/ca2 contoso/ca1"},
		"tasks":                {drydock.RunFilter{Registry: registry, Tasks: []string{"build", "test"}}, "contoso/ca5 contoso/ca4 contoso/ca2 contoso/ca1"},
		"statuses":             {drydock.RunFilter{Statuses: []drydock.RunStatus{drydock.RunFailed, drydock.RunStarted}}, "Fabrikam/ca1 contoso/ca2"},
		"active":               {drydock.RunFilter{OnlyActive: true}, "contoso/ca4 Fabrikam/ca1 contoso/ca3"},
		"active and failed":    {drydock.RunFilter{OnlyActive: true, Statuses: []drydock.RunStatus{drydock.RunFailed}}, ""},
		"created after":        {drydock.RunFilter{After: at(3)}, "contoso/ca4 Fabrikam/ca1"},
		"created before":       {drydock.RunFilter{Before: at(2)}, "contoso/ca1 contoso/ca5"},
		"types":                {drydock.RunFilter{Types: []drydock.RunType{drydock.AutoRun, drydock.QuickRun}}, "contoso/ca3 contoso/ca2"},
		"finished after":       {drydock.RunFilter{FinishedAfter: at(1)}, "contoso/ca2 contoso/ca1"},
		"finished before":      {drydock.RunFilter{FinishedBefore: at(2)}, "contoso/ca1 contoso/ca5"},
		"archived":             {drydock.RunFilter{Archived: &yes}, "contoso/ca4"},
		"not archived":         {drydock.RunFilter{Archived: &no, Limit: 2}, "Fabrikam/ca1 contoso/ca3"},
		"a pool":               {drydock.RunFilter{Pool: &big}, "contoso/ca3"},
		"the default pool":     {drydock.RunFilter{Pool: new(string), Registry: other}, "Fabrikam/ca1"},
		"task and status":      {drydock.RunFilter{Registry: registry, Tasks: []string{"build"}, Statuses: []drydock.RunStatus{drydock.RunFailed}, Limit: 15}, "contoso/ca2"},
		"an injection":         {drydock.RunFilter{Tasks: []string{"' OR '1'='1"}}, ""},
	} {
		found, err := s.Runs(t.Context(), c.filter)
		check(t, err)
		same(t, name, names(found), c.want)
	}
}

func runOutputs(t *testing.T, s drydock.RunStore) {
	for _, result := range []string{
		`{"outputImages":[{"registry":"contoso.example","repository":"hello/World","tag":"v1_0","digest":"sha256:aaa"}]}`,
		`{"outputImages":[{"registry":"contoso.example","repository":"web","tag":"v1x0","digest":"sha256:bbb"},
			{"registry":"contoso.example","repository":"api","tag":"100%","digest":"sha256:ccc"}], "runErrorMessage":"sha256:zzz"}`,
		`not JSON sha256:aaa`,
	} {
		r := create(t, s, drydock.RunRecord{Registry: registry})
		_, err := s.UpdateRun(t.Context(), registry, r.ID, func(r *drydock.RunRecord) error {
			r.Result = []byte(result)
			return nil
		})
		check(t, err)
	}
	for part, want := range map[string]string{
		"hello/world@sha256:aaa": "contoso/ca1", // as az asks
		"hello/world:v1_0":       "contoso/ca1",
		"SHA256:BBB":             "contoso/ca2",
		"contoso.example/":       "contoso/ca2 contoso/ca1",
		"v1_0":                   "contoso/ca1",
		"%":                      "contoso/ca2",
		`\`:                      "",
		"zzz":                    "",
	} {
		found, err := s.Runs(t.Context(), drydock.RunFilter{Registry: registry, OutputHas: part})
		check(t, err)
		same(t, "with an output "+part, names(found), want)
	}
}

func runPaged(t *testing.T, s drydock.RunStore) {
	const runs, page = 25, 7
	for i := range runs {
		create(t, s, drydock.RunRecord{Registry: registry, Task: fmt.Sprint(i % 2)})
	}
	var got []int64
	for f := (drydock.RunFilter{Registry: registry, Limit: page}); ; {
		found, err := s.Runs(t.Context(), f)
		check(t, err)
		for _, r := range found {
			got = append(got, r.Number)
		}
		if len(found) < page {
			break
		}
		f.OlderThan = found[len(found)-1].Number
		create(t, s, drydock.RunRecord{Registry: registry}) // does not move the pages
	}
	var want []int64
	for n := int64(runs); n > 0; n-- {
		want = append(want, n)
	}
	same(t, "all pages", got, want)
}

func runsDeleted(t *testing.T, s drydock.RunStore) {
	at := func(hours int) time.Time { return day.Add(time.Duration(hours) * time.Hour) }
	ended := func(r drydock.RunRecord, status drydock.RunStatus, finished time.Time) drydock.RunRecord {
		stored := create(t, s, r)
		stored, err := s.UpdateRun(t.Context(), stored.Registry, stored.ID, func(r *drydock.RunRecord) error {
			r.Status, r.Finished = status, finished
			return nil
		})
		check(t, err)
		return stored
	}
	quick := drydock.RunRecord{Registry: registry, Request: []byte("{}"), Secrets: []byte("s"), Created: day}
	task := drydock.RunRecord{Registry: registry, Task: "Build", Created: day}
	archived := quick
	archived.Archived = true
	first := ended(quick, drydock.RunFailed, at(3))
	second := ended(quick, drydock.RunCanceled, at(2))
	ended(quick, drydock.RunSucceeded, at(9)) // too young
	ended(quick, drydock.RunRunning, time.Time{})
	create(t, s, quick)
	ended(archived, drydock.RunSucceeded, at(1))
	old := ended(task, drydock.RunTimeout, at(1))
	task.Task = "BUILD"
	ended(task, drydock.RunError, at(1)) // the newest of its task
	task.Registry, task.Task = other, "build"
	ended(task, drydock.RunSucceeded, at(1))
	last := ended(quick, drydock.RunSucceeded, at(4))

	deleted, err := s.DeleteRuns(t.Context(), at(5), 2)
	check(t, err)
	same(t, "the first two", names(deleted), "contoso/"+old.ID+" contoso/"+second.ID)
	deleted, err = s.DeleteRuns(t.Context(), at(5), 10)
	check(t, err)
	first.Request, first.Secrets, last.Request, last.Secrets = nil, nil, nil, nil
	same(t, "the rest", deleted, []drydock.RunRecord{first, last})
	deleted, err = s.DeleteRuns(t.Context(), at(5), 10)
	check(t, err)
	same(t, "no more", names(deleted), "")
	left, err := s.Runs(t.Context(), drydock.RunFilter{Registry: registry})
	check(t, err)
	same(t, "left", names(left), "contoso/ca8 contoso/ca6 contoso/ca5 contoso/ca4 contoso/ca3")
	_, err = s.Run(t.Context(), registry, first.ID)
	wantCode(t, "a deleted run", err, drydock.NotFound)
	_, err = s.UpdateRun(t.Context(), registry, last.ID, func(*drydock.RunRecord) error { return nil })
	wantCode(t, "changing a deleted run", err, drydock.NotFound)
	same(t, "the next run", create(t, s, quick).Number, last.Number+1)
}

func names(runs []drydock.RunRecord) string {
	var names []string
	for _, r := range runs {
		names = append(names, r.Registry.Name()+"/"+r.ID)
	}
	return strings.Join(names, " ")
}
