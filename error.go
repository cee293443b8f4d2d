package drydock

import (
	"errors"
	"fmt"
	"strings"
)

// Code says whose turn it is after an error.
type Code string

const (
	// Invalid marks input that can't work as it stands: a task file, a flag, a
	// value. Exit status 2.
	Invalid Code = "invalid"
	// Failed marks a run that was carried out and did not succeed. Exit status 1.
	Failed Code = "failed"
	// Unavailable marks what this machine or a remote side lacks at the moment:
	// runc, a cgroup, a registry that does not answer. Exit status 1.
	Unavailable Code = "unavailable"
	// Denied marks missing or wrong credentials, and what policy forbids. Exit
	// status 1.
	Denied Code = "denied"
	// NotFound marks a thing that is named and is not there. Exit status 1.
	NotFound Code = "not-found"
	// Conflict marks what the present state forbids: a name that is taken, a
	// resource that was changed meanwhile. Exit status 1.
	Conflict Code = "conflict"
	// Canceled marks work that was stopped from outside. Exit status 130.
	Canceled Code = "canceled"
	// Internal marks everything else. Exit status 1.
	Internal Code = "internal"
)

// Error is an error whose text is meant for users: what failed and on what in
// Message, where in Line and Column, and what to do next in Hint.
type Error struct {
	Code    Code
	Message string
	Hint    string // one sentence without a final period; may be empty
	File    string // the file that Line counts in; may be empty
	Line    int    // 1-based; 0 when unknown
	Column  int    // 1-based, in runes; 0 when unknown
	Err     error  // the cause; may be nil
}

// Errorf returns an *Error whose message is made as by fmt.Errorf; a %w verb
// sets the cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// WithHint sets the sentence that says what to do next and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// At sets where in the input the error is and returns e.
func (e *Error) At(line, column int) *Error {
	e.Line, e.Column = line, column
	return e
}

// Error returns "file:line:column: message (hint)", leaving out what is unknown.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.File != "" && e.Line > 0:
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, max(e.Column, 1))
	case e.Line > 0:
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, max(e.Column, 1))
	case e.File != "":
		fmt.Fprintf(&b, "%s: ", e.File)
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first *Error in err's chain, and Internal for
// an error without one. CodeOf(nil) is "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// ExitError reports that a container ended with a status other than 0.
type ExitError struct {
	Status int
	// Reason says what is known beyond the status, for example that the memory
	// limit was reached; may be empty.
	Reason string
}

// Error returns "exit status N", as ACR logs it, and the reason if there is one.
func (e *ExitError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("exit status %d: %s", e.Status, e.Reason)
	}
	return fmt.Sprintf("exit status %d", e.Status)
}
