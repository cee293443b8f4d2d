package shell

import (
	"context"
	"fmt"
	"os"

	"mvdan.cc/sh/v3/syntax"

	"github.com/drydockhq/drydock"
)

// pipe runs both sides at once, each in a subshell, and returns how the right
// one exited. A side closes its end when it is done: the right one then reads
// to the end, and the left one writes to a broken pipe.
func (r *runner) pipe(ctx context.Context, cmd *syntax.BinaryCmd, sc *scope, fds files) (*drydock.ExitError, error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, r.stop(fmt.Errorf("making a pipe: %w", err))
	}
	left, right := fds, fds
	left[1] = &file{w: pw, pipe: true}
	if cmd.Op == syntax.PipeAll {
		left[2] = left[1]
	}
	right[0] = &file{r: pr}
	done := make(chan error, 1)
	go func() {
		defer pw.Close()
		_, err := r.stmt(ctx, cmd.X, sc.sub(), left)
		done <- err
	}()
	exit, err := r.stmt(ctx, cmd.Y, sc.sub(), right)
	pr.Close()
	if leftErr := <-done; err == nil {
		err = leftErr
	}
	if err != nil {
		return nil, err
	}
	return exit, nil
}
