package baseimage

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
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
	// Armed is told when more is known.
	Armed func()
	Log   *slog.Logger
	Now   func() time.Time
	// Changed wakes it; see Follower.
	Changed <-chan struct{}

	AtATime int           // tasks; 3 if 0
	Timeout time.Duration // of one task; 5 min if 0
	Retry   time.Duration // after a problem; 1 h if 0
	Poll    time.Duration // between two looks without being told; 1 min if 0
}

// Run reads tasks until ctx ends.
func (a *Armer) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := a.Arm(ctx); err != nil && ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "reading what tasks are built from, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-a.Changed:
		case <-time.After(or(a.Poll, time.Minute)):
		}
	}
}

func or[T int | time.Duration](value, usual T) T {
	if value == 0 {
		return usual
	}
	return value
}

// Arm reads the tasks that are to be read now. Those that change meanwhile are
// for the next call.
func (a *Armer) Arm(ctx context.Context) error {
	tasks, err := a.Store.TasksToRead(ctx, a.Now().Add(-or(a.Retry, time.Hour)))
	if err != nil {
		return err
	}
	work := make(chan drydock.ResourceID)
	errs := make(chan error, len(tasks))
	var workers sync.WaitGroup
	for range min(or(a.AtATime, 3), len(tasks)) {
		workers.Go(func() {
			for task := range work {
				errs <- a.read(ctx, task)
			}
		})
	}
	for _, task := range tasks {
		work <- task
	}
	close(work)
	workers.Wait()
	close(errs)
	var first error
	for err := range errs {
		if err != nil && first == nil {
			first = err
		}
	}
	return first
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
	timeout := or(a.Timeout, 5*time.Minute)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, drydock.Errorf(drydock.Unavailable, "reading the source took longer than %s", timeout))
	defer cancel()
	own := drydock.RegistryHost(a.Hosts.Host(r.Registry))
	survey, err := a.Survey.Survey(ctx, r, func(image drydock.ImageName) bool { return image.Registry == own })
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return survey, err
}
