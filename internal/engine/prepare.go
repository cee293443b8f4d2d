package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/shell"
)

// job is a step that is ready to be carried out.
type job struct {
	*drydock.Step
	script *shell.Script     // of a cmd
	flags  *buildflags.Build // of a build
}

// prepare reads the command lines of all steps, so that a run with a mistake in
// its last step does not begin.
func (r *run) prepare() error {
	for i := range r.jobs {
		if err := r.jobs[i].read(); err != nil {
			return readError(r.jobs[i].Step, err)
		}
	}
	return nil
}

func (j *job) read() (err error) {
	switch j.Kind() {
	case drydock.CmdStep:
		j.script, err = shell.Parse(j.Cmd)
	case drydock.BuildStep:
		var args []string
		if args, err = shell.Fields(j.Build, j.lookup); err == nil {
			j.flags, err = buildflags.Parse(args)
		}
	}
	return err
}

// lookup returns a variable of the step's environment; the last one of a name
// counts.
func (j *job) lookup(name string) (string, bool) {
	for i := len(j.Env) - 1; i >= 0; i-- {
		if key, value, ok := strings.Cut(j.Env[i], "="); ok && key == name {
			return value, true
		}
	}
	return "", false
}

// readError places an error in a command line at the step in the task file.
func readError(s *drydock.Step, err error) error {
	wrapped := &drydock.Error{
		Code: drydock.Invalid, Line: s.Line, Err: err,
		Message: fmt.Sprintf("reading the %s of step ID: %s: %v", s.Kind(), s.ID, err),
	}
	var known *drydock.Error
	if errors.As(err, &known) {
		wrapped.Message = fmt.Sprintf("reading the %s of step ID: %s: %s%s", s.Kind(), s.ID, place(known), known.Message)
		wrapped.Hint = known.Hint
	}
	return wrapped
}

// place says where in a command line of several lines an error is.
func place(e *drydock.Error) string {
	if e.Line <= 1 && e.Column <= 1 {
		return ""
	}
	return fmt.Sprintf("at line %d, column %d of it: ", e.Line, max(e.Column, 1))
}
