package plan

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/shell"
	"go.yaml.in/yaml/v3"
)

// checkLanguage reads the step's command, build or images as they will be read
// when it runs, so that their errors come before anything has run.
func (t *task) checkLanguage(_ *yaml.Node, f map[string]*yaml.Node, s *drydock.Step) error {
	switch s.Kind() {
	case drydock.CmdStep:
		return t.checkCommand(f["cmd"], s)
	case drydock.BuildStep:
		return t.checkBuild(f["build"], s)
	default:
		return t.checkPush(f["push"], s)
	}
}

func (t *task) checkCommand(n *yaml.Node, s *drydock.Step) error {
	written := s.Cmd
	var err error
	if s.Cmd, err = t.expand(s.Cmd); err != nil {
		return err
	}
	_, err = shell.Parse(s.Cmd)
	if err != nil && s.Cmd != written {
		err = shift(err, len(s.Cmd)-len(strings.TrimSpace(written)))
	}
	return t.inside(n, err)
}

// checkBuild reads the arguments of `docker build`. Where they depend on
// variables that only the run knows, their syntax alone is checked.
func (t *task) checkBuild(n *yaml.Node, s *drydock.Step) error {
	unknown := false
	args, err := shell.Fields(s.Build, func(name string) (string, bool) {
		value, ok := lookup(s.Env, name)
		unknown = unknown || !ok
		return value, ok
	})
	if err != nil {
		return t.inside(n, err)
	}
	if unknown {
		return nil
	}
	_, err = buildflags.Parse(args)
	return t.inside(n, err)
}

// lookup returns the last value of a variable.
func lookup(env []string, name string) (string, bool) {
	for i := len(env) - 1; i >= 0; i-- {
		if n, value, _ := strings.Cut(env[i], "="); n == name {
			return value, true
		}
	}
	return "", false
}

// shift moves a position in an expanded command to the one as written, which
// is shorter by delta in its first word.
func shift(err error, delta int) error {
	var e *drydock.Error
	if errors.As(err, &e) && e.Line == 1 {
		e.Column = max(1, e.Column-delta)
	}
	return err
}

// inside moves an error with a position in the text of a scalar to the
// scalar's place in the task.
func (t *task) inside(n *yaml.Node, err error) error {
	var e *drydock.Error
	if !errors.As(err, &e) {
		return err
	}
	line, column := max(e.Line, 1), max(e.Column, 1)
	e.Line, e.Column = n.Line, n.Column
	if n.Kind != yaml.ScalarNode || n.Line > len(t.lines) {
		return err
	}
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		if at := n.Line + line; at <= len(t.lines) {
			text := t.lines[at-1]
			e.Line, e.Column = at, column+len(text)-len(strings.TrimLeft(text, " "))
		}
	case line == 1 && stands(t.lines[n.Line-1], n.Column, n.Value):
		e.Column = n.Column + column - 1
	case line == 1 && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && stands(t.lines[n.Line-1], n.Column+1, n.Value):
		e.Column = n.Column + column
	}
	return err
}

// stands reports whether value stands at a column of a line as it is.
func stands(line string, column int, value string) bool {
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(line)
		line = line[size:]
	}
	return strings.HasPrefix(line, value)
}
