package shell

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/drydockhq/drydock"
)

// redirect applies redirections in order. The caller calls closeAll, also
// after an error. A file that can't be opened is reported on the standard error
// of before, and gives exit, the status of a command that therefore does not
// run.
func (r *runner) redirect(list []*syntax.Redirect, sc *scope, fds files) (_ files, closeAll func(), exit *drydock.ExitError, err error) {
	var opened []io.Closer
	stderr := fds[2].writer()
	closeAll = func() {
		for _, c := range opened {
			c.Close()
		}
	}
	for _, rd := range list {
		f, err := r.target(rd, sc, &fds, func(c io.Closer) { opened = append(opened, c) })
		if failed := (*openError)(nil); errors.As(err, &failed) {
			if stderr != nil {
				fmt.Fprintln(stderr, failed)
			}
			return fds, closeAll, &drydock.ExitError{Status: 2}, nil
		}
		if err != nil {
			return fds, closeAll, nil, err
		}
		fds[descriptor(rd)] = f
		if rd.Op == syntax.RdrAll || rd.Op == syntax.AppAll {
			fds[2] = f
		}
	}
	return fds, closeAll, nil, nil
}

// descriptor returns the one that a redirection changes.
func descriptor(rd *syntax.Redirect) int {
	if rd.N != nil {
		return int(rd.N.Value[0] - '0')
	}
	switch rd.Op {
	case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
		return 0
	}
	return 1
}

// target returns what a redirection points its descriptor to, nil to close it.
// It hands what it opened to own.
func (r *runner) target(rd *syntax.Redirect, sc *scope, fds *files, own func(io.Closer)) (*file, error) {
	e := expander{r.script.src, sc}
	switch rd.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		text, err := hereDocument(rd, e)
		return &file{r: strings.NewReader(text)}, err
	case syntax.WordHdoc:
		text, err := e.value(rd.Word)
		return &file{r: strings.NewReader(text + "\n")}, err
	}
	name, err := e.value(rd.Word)
	if err != nil {
		return nil, err
	}
	at := int(rd.Pos().Offset())
	switch {
	case rd.Op == syntax.DplIn || rd.Op == syntax.DplOut:
		if name == "-" {
			return nil, nil
		}
		f := fds[name[0]-'0']
		if f == nil {
			return nil, errorAt(r.script.src, at, "descriptor %s is not open", name)
		}
		return f, nil
	case name == "":
		return nil, errorAt(r.script.src, at, "the file name of `%s` is empty", rd.Op).
			WithHint("set the variable in the step's `env`, or write the name")
	case name == "/dev/stdin":
		return fds[0], nil
	case name == "/dev/stdout":
		return fds[1], nil
	case name == "/dev/stderr":
		return fds[2], nil
	}
	return r.open(name, rd.Op, own)
}

func (r *runner) open(name string, op syntax.RedirOperator, own func(io.Closer)) (*file, error) {
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	switch op {
	case syntax.RdrIn:
		flag = os.O_RDONLY
	case syntax.RdrInOut:
		flag = os.O_RDWR | os.O_CREATE
	case syntax.AppOut, syntax.AppAll:
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	f, err := r.rt.Open(name, flag, 0o666)
	var path *fs.PathError
	var user *drydock.Error
	switch {
	case errors.As(err, &path) && !errors.As(err, &user):
		return nil, &openError{name, path.Err}
	case err != nil:
		return nil, err
	}
	own(f)
	switch op {
	case syntax.RdrIn:
		return &file{r: f}, nil
	case syntax.RdrInOut:
		return &file{r: f, w: f}, nil
	default:
		return &file{w: f}, nil
	}
}

// openError is a file that isn't there, or can't be opened for another reason
// that sh would go on after. It names the file as the script does.
type openError struct {
	name string
	err  error
}

func (e *openError) Error() string { return fmt.Sprintf("cannot open %s: %v", e.name, e.err) }
