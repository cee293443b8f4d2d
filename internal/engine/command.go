package engine

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/drydockhq/drydock"
)

// command carries out the script of a cmd step.
type command struct {
	*run
	job    *job
	pulled atomic.Bool // the image of the first command was pulled
}

// execute makes one attempt. started is called when the first command runs;
// it may be nil.
func (c *command) execute(ctx context.Context, out *streams, started func()) error {
	rt := &runtime{command: c, started: started}
	err := c.job.script.Run(ctx, c.job.lookup, nil, out.stdout, out.stderr, rt)
	if ctx.Err() != nil {
		return err
	}
	return c.judge(err)
}

// judge applies exitedWith and exitedWithout.
func (c *command) judge(err error) error {
	var exit *drydock.ExitError
	switch {
	case err == nil && !c.job.Succeeds(0):
		return &drydock.ExitError{Status: 0, Reason: "not a status that the step may end with"}
	case errors.As(err, &exit) && c.job.Succeeds(exit.Status):
		return nil
	default:
		return err
	}
}
