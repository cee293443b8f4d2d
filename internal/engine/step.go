package engine

import (
	"context"
	"fmt"

	"github.com/drydockhq/drydock"
)

// step carries out step i and keeps what became of it. It returns an error only
// if the step failed by itself and the run has to end.
func (r *run) step(ctx context.Context, i int) error {
	j := &r.jobs[i]
	err := r.perform(ctx, i)
	switch {
	case err == nil:
		r.set(i, func(res *drydock.StepResult) { res.Status = drydock.StepSuccessful })
		return nil
	case ctx.Err() != nil:
		r.set(i, func(res *drydock.StepResult) {
			res.Status, res.Err = drydock.StepCanceled, canceledError(context.Cause(ctx))
		})
		return nil
	case j.IgnoreErrors:
		r.engine.Log.Printf("Step ID: %s encountered an error: %v, but is set to ignore errors. Continuing...", j.ID, err)
		r.set(i, func(res *drydock.StepResult) { res.Status, res.Err = drydock.StepSuccessful, err })
		return nil
	default:
		r.set(i, func(res *drydock.StepResult) { res.Status, res.Err = drydock.StepFailed, err })
		return stepError(j.ID, err)
	}
}

// perform waits for the start delay and carries out the step within its
// timeout. The time that it takes counts from after the delay, as in ACR.
func (r *run) perform(ctx context.Context, i int) error {
	j, log := &r.jobs[i], r.engine.Log
	log.Printf("Executing step ID: %s. Timeout(sec): %d, Working directory: '%s', Network: '%s'",
		j.ID, int(j.Timeout.Seconds()), j.WorkingDirectory, j.Network)
	if j.StartDelay > 0 {
		log.Printf("Waiting %d seconds before executing step ID: %s", int(j.StartDelay.Seconds()), j.ID)
		if err := pause(ctx, j.StartDelay); err != nil {
			return err
		}
	}
	start := r.engine.now()
	r.set(i, func(res *drydock.StepResult) { res.Status = drydock.StepInProgress })
	defer func() {
		r.set(i, func(res *drydock.StepResult) { res.Elapsed = r.engine.now().Sub(start) })
	}()
	return r.withTimeout(ctx, j)
}

func (r *run) withTimeout(ctx context.Context, j *job) error {
	stepCtx := ctx
	if j.Timeout > 0 {
		var cancel context.CancelFunc
		stepCtx, cancel = context.WithTimeoutCause(ctx, j.Timeout, &timeoutError{step: j.ID, after: j.Timeout})
		defer cancel()
	}
	err := r.dispatch(stepCtx, ctx, j)
	if err != nil && stepCtx.Err() != nil {
		return context.Cause(stepCtx)
	}
	return err
}

// dispatch carries out a step by its kind. What a step leaves running is
// stopped with runCtx.
func (r *run) dispatch(ctx, runCtx context.Context, j *job) error {
	switch j.Kind() {
	case drydock.BuildStep:
		for _, warning := range j.flags.Warnings {
			r.engine.Log.Printf("WARNING: %s", warning)
		}
		return r.repeat(ctx, j, func(ctx context.Context, out *streams) error { return r.build(ctx, j, out) })
	case drydock.PushStep:
		return r.push(ctx, j)
	case drydock.CmdStep:
		c := &command{run: r, job: j}
		if j.Detach {
			return r.repeat(ctx, j, func(ctx context.Context, out *streams) error { return c.detach(ctx, runCtx, out) })
		}
		return r.repeat(ctx, j, func(ctx context.Context, out *streams) error { return c.execute(ctx, out, nil) })
	default:
		return fmt.Errorf("a step of unknown kind %q", j.Kind())
	}
}
