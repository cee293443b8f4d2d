package baseimage

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/crew"
)

// Surveyor finds out what a run would be built from, without carrying it out.
type Surveyor interface {
	// Survey fetches the source of a run, which need not be stored, and plans it.
	// Registries are asked for the digests of the bases for which skip doesn't
	// return true. Nothing in its errors is secret.
	Survey(ctx context.Context, r drydock.RunRecord, skip func(drydock.ImageName) bool) (drydock.BuildSurvey, error)
}

// Armer reads the Dockerfiles of tasks that were created or changed, so that it
// is known what they are built from before they first run. Its fields are set
// before Run.
type Armer struct {
	Store  Store
	Tasks  Tasks
	Hosts  Hosts
	Survey Surveyor
	// SourceHost names the host of a git repository; nil for none that are known.
	SourceHost func(source string) string
	// Armed is told when more is known.
	Armed func()
	Log   *slog.Logger
	Now   func() time.Time
	// Changed wakes it; see Follower.
	Changed <-chan struct{}

	AtATime int           // tasks; 16 if 0
	AtAHost int           // tasks whose sources are at one host; 3 if 0
	Timeout time.Duration // of one task; 1 min if 0
	Retry   time.Duration // after a problem; 1 h if 0
	Poll    time.Duration // between two looks without being told; 1 min if 0

	readers crew.Crew
}

// Run reads tasks until ctx ends. What is new does not wait for what was there.
func (a *Armer) Run(ctx context.Context) {
	defer a.readers.Wait()
	var waiting []toRead
	for list := true; ctx.Err() == nil; {
		freed := a.readers.Freed()
		var err error
		if list {
			waiting, err = a.list(ctx)
		}
		if err == nil {
			waiting, err = a.begin(ctx, waiting, func(err error) { a.failed(ctx, err) })
		}
		if err != nil && ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "reading what tasks are built from, trying again", "error", err)
		}
		list = true
		select {
		case <-ctx.Done():
		case <-a.Changed:
		case <-freed:
			list = len(waiting) == 0
		case <-time.After(cmp.Or(a.Poll, time.Minute)):
		}
	}
}

// failed logs how the reading of a task went wrong, and waits a bit: it is to be
// read still.
func (a *Armer) failed(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	a.Log.ErrorContext(ctx, "reading what a task is built from, trying again", "error", err)
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

// Arm reads the tasks that are to be read now, and waits for that. Those that
// change meanwhile are for the next call.
func (a *Armer) Arm(ctx context.Context) error {
	var mu sync.Mutex
	var first error
	waiting, err := a.list(ctx)
	for err == nil && len(waiting) > 0 && ctx.Err() == nil {
		freed := a.readers.Freed()
		waiting, err = a.begin(ctx, waiting, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			first = cmp.Or(first, err)
		})
		if err != nil || len(waiting) == 0 {
			break
		}
		select {
		case <-ctx.Done():
		case <-freed:
		}
	}
	a.readers.Wait()
	return cmp.Or(err, first)
}

// toRead is a task that waits for being read.
type toRead struct {
	task  drydock.ResourceID
	host  string // that its source comes from
	known bool   // the host is
}

// list returns the tasks that are to be read.
func (a *Armer) list(ctx context.Context) ([]toRead, error) {
	tasks, err := a.Store.TasksToRead(ctx, a.Now().Add(-cmp.Or(a.Retry, time.Hour)))
	all := make([]toRead, len(tasks))
	for i, task := range tasks {
		all[i].task = task
	}
	return all, err
}

// begin begins to read tasks as far as there is room for them, and returns those
// that wait still.
func (a *Armer) begin(ctx context.Context, tasks []toRead, done func(error)) ([]toRead, error) {
	var waiting []toRead
	for i, t := range tasks {
		if a.readers.Full(cmp.Or(a.AtATime, 16)) {
			return append(waiting, tasks[i:]...), nil
		}
		if !t.known {
			var err error
			if t.host, err = a.sourceHost(ctx, t.task); err != nil {
				return append(waiting, tasks[i:]...), err
			}
			t.known = true
		}
		read := func() { done(a.readAgain(ctx, t.task)) }
		if !a.readers.Try(t.task.Key(), t.host, cmp.Or(a.AtATime, 16), cmp.Or(a.AtAHost, 3), read) {
			waiting = append(waiting, t)
		}
	}
	return waiting, nil
}

// sourceHost names where the source of a task comes from; empty when nothing can
// be told of it.
func (a *Armer) sourceHost(ctx context.Context, task drydock.ResourceID) (string, error) {
	records, refused, err := a.Tasks.TaskRuns(ctx, []drydock.ResourceID{task})
	if err != nil || refused[0] != nil {
		return "", err
	}
	var request struct{ Source string }
	if json.Unmarshal(records[0].Request, &request) != nil || a.SourceHost == nil {
		return request.Source, nil // read says why
	}
	return cmp.Or(a.SourceHost(request.Source), request.Source), nil
}

// readAgain reads a task unless it was read since it was listed.
func (a *Armer) readAgain(ctx context.Context, task drydock.ResourceID) error {
	known, err := a.Store.TaskImages(ctx, task)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if t := known[0]; !t.Reading && (t.Problem == "" || !t.Armed.Before(a.Now().Add(-cmp.Or(a.Retry, time.Hour)))) {
		return nil
	}
	return a.read(ctx, task)
}

// read reads a task and stores what came of it, unless the task was changed
// meanwhile.
func (a *Armer) read(ctx context.Context, task drydock.ResourceID) error {
	if ctx.Err() != nil {
		return nil
	}
	records, refused, err := a.Tasks.TaskRuns(ctx, []drydock.ResourceID{task})
	if err != nil {
		return err
	}
	definition, err := definitionOf(ctx, a.Tasks, task)
	if err != nil {
		return err
	}
	var survey drydock.BuildSurvey
	problem := refused[0]
	if problem == nil {
		survey, problem = a.survey(ctx, records[0])
	}
	if ctx.Err() != nil {
		return nil // the server ends; it is read at the next start
	}
	err = a.Store.Atomically(ctx, func(ctx context.Context) error {
		now, err := definitionOf(ctx, a.Tasks, task)
		if err != nil || now != definition {
			return err
		}
		return a.store(ctx, task, definition, survey, problem)
	})
	switch drydock.CodeOf(err) {
	case "":
		a.Armed()
		return nil
	case drydock.NotFound:
		return nil // the task is gone
	}
	return err
}

func (a *Armer) survey(ctx context.Context, r drydock.RunRecord) (drydock.BuildSurvey, error) {
	timeout := cmp.Or(a.Timeout, time.Minute)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, drydock.Errorf(drydock.Unavailable, "reading the source took longer than %s", timeout))
	defer cancel()
	own := drydock.RegistryHost(a.Hosts.Host(r.Registry))
	survey, err := a.Survey.Survey(ctx, r, func(image drydock.ImageName) bool { return image.Registry == own })
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return survey, err
}
