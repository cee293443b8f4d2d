package shell

import (
	"context"
	"errors"
	"io"
	"syscall"

	"mvdan.cc/sh/v3/syntax"

	"github.com/drydockhq/drydock"
)

// simple runs one command, or assigns variables when there is none.
func (r *runner) simple(ctx context.Context, call *syntax.CallExpr, sc *scope, fds files) (*drydock.ExitError, error) {
	c := Command{Index: r.script.index[call]}
	var err error
	if c.Args, err = r.args(call, sc); err != nil {
		return nil, r.stop(err)
	}
	target := sc
	if len(call.Args) > 0 {
		target = sc.sub() // assignments in front of a command are seen by the next of them
	}
	for _, a := range call.Assigns {
		value, err := expander{r.script.src, target}.value(a.Value)
		if err != nil {
			return nil, r.stop(err)
		}
		target.set(a.Name.Value, value)
		c.Env = append(c.Env, a.Name.Value+"="+value)
	}
	if len(call.Args) == 0 {
		return nil, nil
	}
	c.Stdin, c.Stdout, c.Stderr = fds[0].reader(), fds[1].writer(), fds[2].writer()
	return r.exec(ctx, c, fds)
}

// args expands the words of a command, the first of which must name an image.
func (r *runner) args(call *syntax.CallExpr, sc *scope) ([]string, error) {
	if len(call.Args) == 0 {
		return nil, nil
	}
	e := expander{r.script.src, sc}
	image, err := e.fields(call.Args[0])
	if err != nil {
		return nil, err
	}
	w := call.Args[0]
	if len(image) == 0 || image[0] == "" {
		return nil, errorAt(r.script.src, int(w.Pos().Offset()), "the command word `%s` is empty: it names no image", (&checker{src: r.script.src}).text(w)).
			WithHint("set the variable in the step's `env`, or write the image")
	}
	if err := (&checker{src: r.script.src, calls: r.script.index[call]}).image(w, image[0]); err != nil {
		return nil, err
	}
	rest, err := e.fields(call.Args[1:]...)
	return append(image, rest...), err
}

func (r *runner) exec(ctx context.Context, c Command, fds files) (*drydock.ExitError, error) {
	err := r.rt.Exec(ctx, c)
	var exit *drydock.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, r.stop(context.Cause(ctx))
	case err == nil:
		return nil, nil
	case errors.As(err, &exit):
		return exit, nil
	case fds.piped() && (errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)):
		// The reader ended first, which a shell reports as SIGPIPE.
		return &drydock.ExitError{Status: 128 + int(syscall.SIGPIPE)}, nil
	default:
		return nil, r.stop(err)
	}
}
