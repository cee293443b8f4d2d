package engine

import (
	"context"
	"io"
	"time"

	"github.com/drydockhq/drydock"
)

// Engine carries out runs. Its fields are set before the first call of Run and
// not changed after it.
type Engine struct {
	Executor Executor
	Log      Log
	Secrets  Secrets                         // the masker that Log uses
	Now      func() time.Time                // nil for time.Now
	Backoff  func(attempt int) time.Duration // the wait after a push's attempt failed, from 1; nil for ACR's
	Timeout  time.Duration                   // of a whole run; 0 for none
	DryRun   bool                            // only say what would be carried out
	// Over is called when the steps are over, before the log says how the run
	// ended; may be nil.
	Over func()
}

// Log is where a run's lines and output go.
type Log interface {
	// Printf writes a line of the engine's own, with the time.
	Printf(format string, args ...any)
	// Stream returns a writer for a step's "stdout" or "stderr"; both names are
	// empty for lines without a time.
	Stream(step, stream string) io.WriteCloser
	// Err returns the first error met in writing.
	Err() error
}

// Secrets knows what must not be shown.
type Secrets interface {
	Add(values ...string)
	String(s string) string
	Error(err error) error
}

// Run carries out a plan. It sets the networks, volumes and Secret of spec. The
// result says what became of each step also when there is an error, which is a
// *drydock.Error with secrets masked: Canceled when ctx ended, Invalid when a
// step can't be read (nothing is carried out then), and otherwise Failed or
// the code of what stopped the step that failed first. The log holds the error
// already.
func (e *Engine) Run(ctx context.Context, plan *drydock.Plan, spec RunSpec) (*drydock.RunResult, error) {
	start := e.now()
	e.Secrets.Add(plan.SecretValues...)
	for _, c := range spec.Credentials {
		e.Secrets.Add(c.Password)
	}
	spec.Networks, spec.Volumes, spec.Secret = plan.Networks, plan.Volumes, e.Secrets.Add

	for _, warning := range plan.Warnings {
		e.Log.Printf("WARNING: %s", warning)
	}
	r := newRun(e, plan, spec)
	err := e.carryOut(ctx, r)
	err = e.Secrets.Error(err)
	result := r.result(e.now().Sub(start))
	if e.Over != nil {
		e.Over()
	}
	e.report(spec.ID, result, err)
	if err == nil {
		err = e.logError()
	}
	return result, err
}

func (e *Engine) carryOut(ctx context.Context, r *run) error {
	if err := r.prepare(); err != nil {
		return err
	}
	if e.DryRun {
		r.describe()
		return nil
	}
	if e.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.Timeout, &timeoutError{after: e.Timeout})
		defer cancel()
	}
	return r.open(ctx)
}

func (e *Engine) logError() error {
	err := e.Log.Err()
	if err == nil {
		return nil
	}
	return e.Secrets.Error(drydock.Errorf(drydock.Unavailable, "%w", err))
}

func (e *Engine) now() time.Time {
	if e.Now == nil {
		return time.Now()
	}
	return e.Now()
}

// pause waits for d, or returns the cause of ctx when that ends before.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
