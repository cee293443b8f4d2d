package engine

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/drydockhq/drydock"
)

// streams are where an attempt's output goes. They are closed once.
type streams struct {
	stdout, stderr io.Writer
	closers        []io.Closer
	kept           bool // a detached step closes them
}

func (s *streams) close() {
	for _, c := range s.closers {
		// Closing a stream of the log fails in nothing that Log.Err doesn't say.
		_ = c.Close()
	}
}

// attempt is one try at carrying out a step.
type attempt func(ctx context.Context, out *streams) error

// repeat carries out a step Repeat+1 times and returns all errors together.
func (r *run) repeat(ctx context.Context, j *job, try attempt) error {
	var failed repeatError
	for range j.Repeat + 1 {
		if err := r.retry(ctx, j, try); err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	default:
		return failed
	}
}

// retry makes up to Retries+1 attempts.
func (r *run) retry(ctx context.Context, j *job, try attempt) error {
	log := r.engine.Log
	for n := 0; ; n++ {
		log.Printf("Launching container with name: %s", j.ID)
		watched := newWatch(j.RetryOnErrors)
		err := r.attempt(ctx, j, watched, try)
		switch {
		case err == nil:
			log.Printf("Successfully executed container: %s", j.ID)
			return nil
		case ctx.Err() != nil:
			r.stopped(ctx, j)
			return err
		case n == j.Retries || !watched.matches(err):
			log.Printf("Container failed during run: %s. No retries remaining.", j.ID)
			return err
		}
		log.Printf("Container failed during run: %s, waiting %d seconds before retrying...", j.ID, int(j.RetryDelay.Seconds()))
		if err := pause(ctx, j.RetryDelay); err != nil {
			return err
		}
	}
}

// stopped logs that a step took too long. A step that ended together with the
// run has not failed.
func (r *run) stopped(ctx context.Context, j *job) {
	var timeout *timeoutError
	if errors.As(context.Cause(ctx), &timeout) && timeout.step == j.ID {
		r.engine.Log.Printf("Container failed during run: %s. No retries remaining.", j.ID)
	}
}

func (r *run) attempt(ctx context.Context, j *job, watched *watch, try attempt) error {
	stdout, stderr := r.engine.Log.Stream(j.ID, "stdout"), r.engine.Log.Stream(j.ID, "stderr")
	out := &streams{
		stdout: watched.writer(stdout), stderr: watched.writer(stderr),
		closers: []io.Closer{stdout, stderr},
	}
	err := try(ctx, out)
	if out.kept {
		return err
	}
	var exit *drydock.ExitError
	if err != nil && ctx.Err() == nil && !errors.As(err, &exit) {
		// As docker does: a container that could not be run says why.
		_, _ = fmt.Fprintln(stderr, err)
	}
	out.close()
	return err
}
