package runner

import (
	"context"
	"errors"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// Runner carries out runs. Its fields are set before the first call of Run and
// not changed after it.
type Runner struct {
	Fetcher Fetcher
	Engine  *engine.Engine
}

// Request is a run to carry out.
type Request struct {
	Source string // as Fetcher takes it
	Task   Planner
	Facts  drydock.RunFacts // Commit and Branch are set from the source where they are empty
	Spec   engine.RunSpec   // without ID, TaskName, Registry and Source
}

// Planner makes the plan of a run.
type Planner interface {
	Plan(ctx context.Context, checkout *Checkout, facts drydock.RunFacts) (*drydock.Plan, error)
}

// Run carries out a run. The result is nil when the run ended before it had a
// plan, and says what became of each step otherwise, also with an error.
func (r *Runner) Run(ctx context.Context, req Request) (result *drydock.RunResult, err error) {
	checkout, err := r.Fetcher.Fetch(ctx, req.Source)
	if err != nil {
		return nil, r.Engine.Secrets.Error(err)
	}
	defer func() { err = errors.Join(err, checkout.Release()) }()

	facts := checkout.complete(req.Facts)
	plan, err := req.Task.Plan(ctx, checkout, facts)
	if err != nil {
		return nil, r.Engine.Secrets.Error(err)
	}
	spec := req.Spec
	spec.ID, spec.TaskName, spec.Registry = facts.ID, facts.TaskName, facts.Registry
	spec.Source, spec.Commit = checkout.Dir, checkout.Commit
	spec.Checkout = checkout.Commit != "" && !checkout.Local
	return r.Engine.Run(ctx, plan, spec)
}

// complete adds what the checkout knows to the facts of a run.
func (c *Checkout) complete(facts drydock.RunFacts) drydock.RunFacts {
	if facts.Commit == "" {
		facts.Commit = c.Commit
	}
	if facts.Branch == "" {
		facts.Branch = c.Branch
	}
	return facts
}

// Release removes what was fetched.
func (c *Checkout) Release() error {
	if c.Close == nil {
		return nil
	}
	return c.Close()
}
