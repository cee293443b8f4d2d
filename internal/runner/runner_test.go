package runner_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/logs"
	"github.com/drydockhq/drydock/internal/plan"
	"github.com/drydockhq/drydock/internal/runner"
)

// fetched is a fetcher that has fetched already.
type fetched struct {
	checkout runner.Checkout
	err      error
	released int
}

func (f *fetched) Fetch(context.Context, string) (*runner.Checkout, error) {
	if f.err != nil {
		return nil, f.err
	}
	c := f.checkout
	c.Close = func() error { f.released++; return nil }
	return &c, nil
}

// folder lays the files of an archive out in a new folder.
func folder(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newRunner(f runner.Fetcher) (*runner.Runner, *bytes.Buffer) {
	var b bytes.Buffer
	masker := logs.NewMasker("hunter2")
	now := func() time.Time { return time.Date(2020, 10, 30, 3, 57, 39, 0, time.UTC) }
	return &runner.Runner{
		Fetcher: f,
		Engine: &engine.Engine{
			Executor: &enginetest.Fake{}, Secrets: masker, Now: now,
			Log: logs.New(logs.Options{Renderer: logs.NewText(&b), Masker: masker, Now: now}),
		},
	}, &b
}

const shown = `
-- acb.yaml --
steps:
- id: show
  cmd: image
  env: ["FAKE_OUT=at {{.Run.Commit}} of {{.Run.Branch}}"]
`

func TestRunTellsTheCheckout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts drydock.RunFacts
		want  string
	}{
		"of the checkout": {drydock.RunFacts{ID: "1"}, "\nat abc of main\n"},
		"of the request":  {drydock.RunFacts{ID: "1", Commit: "def", Branch: "fix"}, "\nat def of fix\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fetched{checkout: runner.Checkout{Dir: folder(t, shown), Commit: "abc", Branch: "main"}}
			r, log := newRunner(f)
			result, err := r.Run(t.Context(), runner.Request{Task: &runner.TaskFile{}, Facts: c.facts})
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Steps) != 1 || result.Steps[0].Status != drydock.StepSuccessful {
				t.Errorf("steps are %+v", result.Steps)
			}
			if !bytes.Contains(log.Bytes(), []byte(c.want)) {
				t.Errorf("the log lacks %q:\n%s", c.want, log)
			}
			if f.released != 1 {
				t.Errorf("the checkout was released %d times", f.released)
			}
		})
	}
}

func TestRunEndsBeforeThePlan(t *testing.T) {
	t.Parallel()
	failed := &fetched{err: drydock.Errorf(drydock.Denied, "fetching https://hunter2@git.example/x: wrong credentials")}
	empty := &fetched{checkout: runner.Checkout{Dir: t.TempDir()}}
	for name, c := range map[string]struct {
		fetcher *fetched
		code    drydock.Code
		want    string
		closed  int
	}{
		"the source can't be fetched": {failed, drydock.Denied, "fetching https://***@git.example/x: wrong credentials", 0},
		"no task file":                {empty, drydock.Invalid, "there is no task file in the source, neither acb.yaml nor acr-task.yaml (name one with --file; it is relative to SOURCE, the last argument)", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRunner(c.fetcher)
			result, err := r.Run(t.Context(), runner.Request{Task: &runner.TaskFile{}})
			if result != nil || err == nil || err.Error() != c.want || drydock.CodeOf(err) != c.code {
				t.Errorf("Run = %+v, %v (%s); want %q (%s)", result, err, drydock.CodeOf(err), c.want, c.code)
			}
			if c.fetcher.released != c.closed {
				t.Errorf("the checkout was released %d times, want %d", c.fetcher.released, c.closed)
			}
		})
	}
}

func TestRunKeepsTheErrorOfTheCleanUp(t *testing.T) {
	t.Parallel()
	broken := errors.New("the folder is busy")
	r, _ := newRunner(brokenRelease{folder(t, shown), broken})
	result, err := r.Run(t.Context(), runner.Request{Task: &runner.TaskFile{}})
	if result == nil || !errors.Is(err, broken) {
		t.Errorf("Run = %+v, %v; want a result and %q", result, err, broken)
	}
}

// brokenRelease fetches a folder that can't be released.
type brokenRelease struct {
	dir string
	err error
}

func (b brokenRelease) Fetch(context.Context, string) (*runner.Checkout, error) {
	return &runner.Checkout{Dir: b.dir, Close: func() error { return b.err }}, nil
}

func TestRunSpec(t *testing.T) {
	t.Parallel()
	dir := folder(t, shown)
	executor := &specKeeper{}
	r, _ := newRunner(&fetched{checkout: runner.Checkout{Dir: dir, Commit: "abc"}})
	r.Engine.Executor = executor
	_, err := r.Run(t.Context(), runner.Request{
		Task:  &runner.TaskFile{},
		Facts: drydock.RunFacts{ID: "7", Commit: "of the trigger", TaskName: "nightly", Registry: "r.example"},
		Spec:  engine.RunSpec{Publish: true, Limits: drydock.Limits{PIDs: 9}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := executor.spec
	if s.ID != "7" || s.TaskName != "nightly" || s.Registry != "r.example" || s.Source != dir || s.Commit != "abc" || !s.Checkout ||
		!s.Publish || s.Limits.PIDs != 9 {
		t.Errorf("spec is %+v", s)
	}
}

// specKeeper is a fake executor that remembers what it was opened with.
type specKeeper struct {
	enginetest.Fake
	spec engine.RunSpec
}

func (k *specKeeper) Open(ctx context.Context, spec engine.RunSpec) (engine.Session, error) {
	k.spec = spec
	return k.Fake.Open(ctx, spec)
}

func TestQuickBuild(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- values.yaml --\nname: app\n")
	q := &runner.QuickBuild{
		Build:  plan.QuickBuild{Context: ".", Tags: []string{"{{.Values.name}}:{{.Run.ID}}"}},
		Values: runner.ValuesFile{Name: "values.yaml"},
	}
	p, err := q.Plan(t.Context(), &runner.Checkout{Dir: dir}, drydock.RunFacts{ID: "7"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Steps[0].Build, "-t app:7 ."; got != want {
		t.Errorf("build is %q, want %q", got, want)
	}
}
