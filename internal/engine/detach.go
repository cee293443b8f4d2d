package engine

import (
	"context"
	"sync"
)

// detach starts the script and returns when its first command runs. The rest
// happens in the background until the script ends or runCtx does.
func (c *command) detach(ctx, runCtx context.Context, out *streams) error {
	started := make(chan struct{})
	ended := make(chan error, 1)
	scriptCtx, cancel := context.WithCancelCause(runCtx)
	var once sync.Once
	c.background.Go(func() {
		defer cancel(nil)
		err := c.execute(scriptCtx, out, func() { once.Do(func() { close(started) }) })
		stopped := scriptCtx.Err() != nil
		select {
		case <-started:
			out.close()
			if err != nil && !stopped {
				c.engine.Log.Printf("Detached container failed: %s: %v", c.job.ID, err)
			}
		default:
		}
		ended <- err
	})
	select {
	case <-started:
		out.kept = true
		return nil
	case err := <-ended:
		return c.startResult(started, out, err)
	case <-ctx.Done():
		cancel(context.Cause(ctx))
		return c.startResult(started, out, <-ended)
	}
}

// startResult says how a detached script that has ended already was started.
func (c *command) startResult(started <-chan struct{}, out *streams, err error) error {
	select {
	case <-started:
		out.kept = true
		return nil
	default:
		return err
	}
}
