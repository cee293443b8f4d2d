package queue_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/storetest"
)

var statuses = []drydock.RunStatus{
	drydock.RunQueued, drydock.RunStarted, drydock.RunRunning, drydock.RunSucceeded,
	drydock.RunFailed, drydock.RunCanceled, drydock.RunError, drydock.RunTimeout,
}

func TestTransitionOverEveryPair(t *testing.T) {
	t.Parallel()
	// A row a state, a column a state that follows, both in the order above.
	want := map[drydock.RunStatus]string{
		drydock.RunQueued:  ".x..xx..",
		drydock.RunStarted: "x.x.xxxx",
		drydock.RunRunning: "x..xxxxx",
	}
	store := storetest.NewMemory(registries...)
	for _, from := range statuses {
		for i, to := range statuses {
			allowed := want[from] != "" && want[from][i] == 'x'
			for _, now := range statuses {
				tryTransition(t, store, now, from, to, allowed)
			}
		}
	}
}

// tryTransition tries to take a run that is in the state now from one state to
// another.
func tryTransition(t *testing.T, store drydock.RunStore, now, from, to drydock.RunStatus, allowed bool) {
	t.Helper()
	r := inState(t, store, now)
	got, err := queue.Transition(t.Context(), store, r.Registry, r.ID, from, to, func(r *drydock.RunRecord) error {
		r.Owner = "changed"
		return nil
	})
	stored, storedErr := store.Run(t.Context(), r.Registry, r.ID)
	if storedErr != nil {
		t.Fatal(storedErr)
	}
	switch {
	case allowed && now == from:
		if err != nil || got.Status != to || stored.Status != to || stored.Owner != "changed" {
			t.Errorf("%s → %s of a run that is %s: %v, stored %s", from, to, now, err, stored.Status)
		}
	case allowed:
		if drydock.CodeOf(err) != drydock.Conflict || stored.Status != now || stored.Owner != "" {
			t.Errorf("%s → %s of a run that is %s: %v, stored %s", from, to, now, err, stored.Status)
		}
	default:
		if err == nil || stored.Status != now || stored.Owner != "" {
			t.Errorf("%s → %s is not allowed, and of a run that is %s: %v, stored %s", from, to, now, err, stored.Status)
		}
	}
}

func TestTransitionThatIsObjectedTo(t *testing.T) {
	t.Parallel()
	store := storetest.NewMemory(registries...)
	r := inState(t, store, drydock.RunQueued)
	no := errors.New("no")
	_, err := queue.Transition(t.Context(), store, r.Registry, r.ID, drydock.RunQueued, drydock.RunStarted,
		func(*drydock.RunRecord) error { return no })
	stored, _ := store.Run(t.Context(), r.Registry, r.ID)
	if !errors.Is(err, no) || stored.Status != drydock.RunQueued {
		t.Errorf("got %v, stored %s", err, stored.Status)
	}
}

func TestDiagramIsTheDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/run-states.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```mermaid\n")
	diagram, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/run-states.md has no diagram")
	}
	if d := cmp.Diff(queue.Diagram(), diagram); d != "" {
		t.Errorf("docs/run-states.md differs from the table (-table +doc):\n%s", d)
	}
}

func inState(t *testing.T, store drydock.RunStore, status drydock.RunStatus) drydock.RunRecord {
	t.Helper()
	r, err := store.CreateRun(t.Context(), drydock.RunRecord{Registry: registries[0]})
	if err != nil {
		t.Fatal(err)
	}
	r, err = store.UpdateRun(t.Context(), r.Registry, r.ID, func(r *drydock.RunRecord) error {
		r.Status = status
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
