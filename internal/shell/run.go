package shell

import (
	"context"
	"fmt"
	"io"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"github.com/drydockhq/drydock"
)

// Run carries out the script as sh would, with variables from env (nil for
// none). It returns nil when the last command succeeded, its
// *drydock.ExitError when it failed, and otherwise what stopped the script: an
// error of rt as it is, an error in an expansion as *drydock.Error, or the
// cause of ctx. Everything that it started has ended when it returns. A stream
// may be nil. Commands of a pipeline write to stdout and stderr at once; Run
// makes such writes take turns.
func (s *Script) Run(ctx context.Context, env func(name string) (string, bool), stdin io.Reader, stdout, stderr io.Writer, rt Runtime) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &runner{script: s, rt: rt, cancel: cancel}
	out := lockedWriters(stdout, stderr)
	fds := files{{r: stdin}, out[0], out[1]}
	exit, err := r.stmts(ctx, s.stmts, newScope(env), fds)
	switch {
	case err != nil:
		return r.cause(err)
	case exit != nil:
		return exit
	default:
		return nil
	}
}

// runner is one run of a script.
type runner struct {
	script *Script
	rt     Runtime
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	fatal error // the first that stopped the script
}

// stop ends the whole script and returns err.
func (r *runner) stop(err error) error {
	r.mu.Lock()
	if r.fatal == nil {
		r.fatal = err
	}
	r.mu.Unlock()
	r.cancel(err)
	return err
}

// cause returns the error that stopped the script first.
func (r *runner) cause(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fatal != nil {
		return r.fatal
	}
	return err
}

// stmts runs a list. Like all below, it returns how the last command exited
// (nil for status 0), and an error only when the script must stop.
func (r *runner) stmts(ctx context.Context, list []*syntax.Stmt, sc *scope, fds files) (exit *drydock.ExitError, err error) {
	for _, st := range list {
		if exit, err = r.stmt(ctx, st, sc, fds); err != nil {
			return nil, err
		}
	}
	return exit, nil
}

func (r *runner) stmt(ctx context.Context, st *syntax.Stmt, sc *scope, fds files) (*drydock.ExitError, error) {
	if ctx.Err() != nil {
		return nil, r.stop(context.Cause(ctx))
	}
	fds, closeAll, exit, err := r.redirect(st.Redirs, sc, fds)
	defer closeAll()
	if err != nil {
		return nil, r.stop(err)
	}
	if exit == nil && st.Cmd != nil {
		if exit, err = r.command(ctx, st.Cmd, sc, fds); err != nil {
			return nil, err
		}
	}
	if st.Negated {
		exit = negate(exit)
	}
	sc.status = 0
	if exit != nil {
		sc.status = exit.Status
	}
	return exit, nil
}

func negate(exit *drydock.ExitError) *drydock.ExitError {
	if exit == nil {
		return &drydock.ExitError{Status: 1}
	}
	return nil
}

func (r *runner) command(ctx context.Context, cmd syntax.Command, sc *scope, fds files) (*drydock.ExitError, error) {
	switch cmd := cmd.(type) {
	case *syntax.CallExpr:
		return r.simple(ctx, cmd, sc, fds)
	case *syntax.Block:
		return r.stmts(ctx, cmd.Stmts, sc, fds)
	case *syntax.Subshell:
		return r.stmts(ctx, cmd.Stmts, sc.sub(), fds)
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll {
			return r.pipe(ctx, cmd, sc, fds)
		}
		exit, err := r.stmt(ctx, cmd.X, sc, fds)
		if err != nil || (cmd.Op == syntax.AndStmt) != (exit == nil) {
			return exit, err
		}
		return r.stmt(ctx, cmd.Y, sc, fds)
	default:
		return nil, r.stop(fmt.Errorf("running a %T: it should have been refused", cmd))
	}
}
