package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// run is one run on its way.
type run struct {
	engine  *Engine
	spec    RunSpec
	jobs    []job
	session Session

	background sync.WaitGroup // of the detached steps

	mu           sync.Mutex // guards results
	results      []drydock.StepResult
	dependencies []drydock.ImageDependencies
	pushed       []drydock.ImageReference
}

func newRun(e *Engine, plan *drydock.Plan, spec RunSpec) *run {
	r := &run{engine: e, spec: spec}
	for i := range plan.Steps {
		r.jobs = append(r.jobs, job{Step: &plan.Steps[i]})
		r.results = append(r.results, drydock.StepResult{ID: plan.Steps[i].ID, Status: drydock.StepSkipped})
	}
	return r
}

// open carries out the steps in a session of their own.
func (r *run) open(ctx context.Context) (err error) {
	log := r.engine.Log
	for _, n := range r.spec.Networks {
		if n.SkipCreation {
			log.Printf("Skip creating network: %s", n.Name)
			continue
		}
		log.Printf("Creating Docker network: %s, driver: '%s'", n.Name, n.Driver)
	}
	r.session, err = r.engine.Executor.Open(ctx, r.spec)
	if err != nil {
		if ctx.Err() != nil {
			return endError(context.Cause(ctx))
		}
		return openError(err)
	}
	defer func() { err = r.close(err) }()
	for _, n := range r.spec.Networks {
		if !n.SkipCreation {
			log.Printf("Successfully set up Docker network: %s", n.Name)
		}
	}
	return r.walk(ctx)
}

func openError(err error) error {
	var known *drydock.Error
	if errors.As(err, &known) {
		return err
	}
	return drydock.Errorf(drydock.Internal, "making the run ready: %w", err)
}

// close ends the session. Leftovers fail a run that was successful otherwise.
func (r *run) close(err error) error {
	r.dependencies = r.session.Dependencies()
	if s, ok := r.session.(PushedLister); ok {
		r.pushed = s.Pushed()
	}
	closeErr := r.session.Close()
	switch {
	case closeErr == nil:
		return err
	case err == nil:
		return drydock.Errorf(drydock.Internal, "cleaning up after the run: %w", closeErr)
	default:
		r.engine.Log.Printf("WARNING: cleaning up after the run: %v", closeErr)
		return err
	}
}

// walk carries out each step as soon as those that it waits for were
// successful. The first failure cancels the others. It returns when all have
// ended, detached ones included.
func (r *run) walk(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer r.background.Wait()
	defer cancel(errRunOver)

	var failure error
	done := make(chan error)
	started := make([]bool, len(r.jobs))
	for running := 0; ; running-- {
		for _, i := range r.ready(started) {
			if ctx.Err() == nil {
				started[i] = true
				running++
				go func() { done <- r.step(ctx, i) }()
			}
		}
		if running == 0 {
			break
		}
		if err := <-done; err != nil && failure == nil {
			failure = err
			cancel(err)
		}
	}
	switch {
	case failure != nil:
		return failure
	case parent.Err() != nil && !r.complete():
		return endError(context.Cause(parent))
	case !r.complete():
		return drydock.Errorf(drydock.Internal, "the run ended before all of its steps were carried out")
	default:
		return nil
	}
}

// errRunOver is the cause with which detached steps are stopped.
var errRunOver = errors.New("the run is over")

// ready returns the steps that may start now, in the order of the task.
func (r *run) ready(started []bool) []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	successful := make(map[string]bool, len(r.results))
	for _, res := range r.results {
		successful[res.ID] = res.Status == drydock.StepSuccessful
	}
	var ready []int
next:
	for i := range r.jobs {
		for _, id := range r.jobs[i].When {
			if !successful[id] {
				continue next
			}
		}
		if !started[i] {
			ready = append(ready, i)
		}
	}
	return ready
}

func (r *run) complete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, res := range r.results {
		if res.Status != drydock.StepSuccessful {
			return false
		}
	}
	return true
}

// set changes the result of a step.
func (r *run) set(i int, change func(*drydock.StepResult)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.results[i])
}

// result returns what became of the run, with secrets masked.
func (r *run) result(elapsed time.Duration) *drydock.RunResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.results {
		r.results[i].Err = r.engine.Secrets.Error(r.results[i].Err)
	}
	return &drydock.RunResult{
		Steps:        r.results,
		Dependencies: masked(r.engine.Secrets, r.dependencies),
		Pushed:       maskedImages(r.engine.Secrets, r.pushed),
		Elapsed:      elapsed,
	}
}

// canceledError says of a step that it was stopped together with the run.
func canceledError(cause error) error { return fmt.Errorf("canceled: %w", cause) }
