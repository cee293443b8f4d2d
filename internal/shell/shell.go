// Package shell is the command language of `cmd` steps. ACR hands a step's cmd
// to a shell as `sh -c "docker run … <cmd>"`, so quotes, variables, pipelines,
// lists, redirections and here-documents are part of the language; here every
// command word names an image instead of a program. What needs a real shell
// (command substitution, loops, globs, …) is refused with an error that says so.
package shell

import (
	"errors"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"github.com/drydockhq/drydock"
)

const (
	// MaxSize is the length in bytes of the longest script that Parse takes.
	// It is Linux's limit for one argument, and so the limit of `sh -c`.
	MaxSize = 128 << 10

	// MaxCommands bounds the commands of one script, and with them the pipes
	// and containers that it can hold at once.
	MaxCommands = 256

	// maxDepth bounds nested brackets: the parser's stack grows by some 4 KiB
	// with each.
	maxDepth = 500
)

// Script is a parsed cmd. It is immutable and may be run several times, also
// at once.
type Script struct {
	src   string
	stmts []*syntax.Stmt
	index map[*syntax.CallExpr]int
	calls []*syntax.CallExpr // those with a command word, in order of index
}

// Parse reads a cmd whose first word is already expanded from its alias. Its
// error is a *drydock.Error with Code Invalid, and with Line and Column
// counted within cmd.
func Parse(cmd string) (*Script, error) {
	if err := checkText(cmd); err != nil {
		return nil, err
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(cmd), "")
	if err != nil {
		return nil, parseError(cmd, err)
	}
	s := &Script{src: cmd, stmts: file.Stmts, index: map[*syntax.CallExpr]int{}}
	c := checker{src: cmd, call: s.addCall}
	if err := c.stmts(file.Stmts); err != nil {
		return nil, err
	}
	if len(s.calls) == 0 {
		return nil, errorAt(cmd, 0, "the command names no image").
			WithHint("begin it with an image, as in `bash echo hello`")
	}
	return s, nil
}

// Words returns the words of each command in order of Command.Index, up to
// the first word that depends on a variable. The first of them is the image.
func (s *Script) Words() [][]string {
	all := make([][]string, len(s.calls))
	for i, call := range s.calls {
		for _, w := range call.Args {
			lit, ok := literal(w)
			if !ok {
				break
			}
			all[i] = append(all[i], lit)
		}
	}
	return all
}

// addCall gives a simple command its index.
func (s *Script) addCall(call *syntax.CallExpr) {
	if len(call.Args) > 0 {
		s.index[call] = len(s.calls)
		s.calls = append(s.calls, call)
	}
}

// checkText refuses what no shell could be given as an argument.
func checkText(src string) error {
	if len(src) > MaxSize {
		return drydock.Errorf(drydock.Invalid, "the command is %d bytes long, more than %d", len(src), MaxSize).
			WithHint("put it into a script in the context and run that")
	}
	if i := strings.IndexByte(src, 0); i >= 0 {
		return errorAt(src, i, "the command contains a NUL byte")
	}
	if !utf8.ValidString(src) {
		return drydock.Errorf(drydock.Invalid, "the command is not UTF-8")
	}
	depth := 0
	for i := range len(src) {
		switch src[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(depth-1, 0)
		}
		if depth > maxDepth {
			return errorAt(src, i, "the command has more than %d brackets inside each other", maxDepth)
		}
	}
	return nil
}

// parseError turns an error of the parser into one for users.
func parseError(src string, err error) error {
	var pe syntax.ParseError
	var le syntax.LangError
	switch {
	case errors.As(err, &pe):
		return errorAt(src, int(pe.Pos.Offset()), "%s", pe.Text).
			WithHint("quote it when it is meant literally")
	case errors.As(err, &le):
		return errorAt(src, int(le.Pos.Offset()), "%s is not part of the command language", le.Feature).
			WithHint("%s", hintBash)
	default:
		return drydock.Errorf(drydock.Invalid, "parsing the command: %w", err)
	}
}
