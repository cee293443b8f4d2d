package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// timeoutError is the cause of a context whose step or run took too long.
type timeoutError struct {
	step  string // empty for the run
	after time.Duration
}

func (e *timeoutError) Error() string {
	if e.step == "" {
		return fmt.Sprintf("the run timed out after %s", seconds(e.after))
	}
	return fmt.Sprintf("step ID: %s timed out after %s", e.step, seconds(e.after))
}

// Is makes errors.Is(err, context.DeadlineExceeded) hold.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// seconds returns a duration in ACR's unit, as 600s or 0.5s.
func seconds(d time.Duration) string { return fmt.Sprintf("%gs", d.Seconds()) }

// repeatError is what several rounds of a step failed with.
type repeatError []error

func (e repeatError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, ", ")
}

func (e repeatError) Unwrap() []error { return e }

// stepError says, in ACR's words, that a step failed.
func stepError(id string, err error) *drydock.Error {
	failed := &drydock.Error{Code: drydock.Failed, Message: "failed to run step ID: " + id + ": " + err.Error(), Err: err}
	var timeout *timeoutError
	var known *drydock.Error
	switch {
	case errors.As(err, &timeout):
		failed.Message = timeout.Error()
	case errors.As(err, &known) && known.Code != drydock.Canceled:
		failed.Code = known.Code
	}
	return failed
}

// HandedBack is why a context ends when its run is not canceled for good: it will
// be carried out again.
type HandedBack struct{ Why string }

// Error returns why.
func (e *HandedBack) Error() string { return e.Why }

// endError says why a run ended before its steps did, though none of them
// failed.
func endError(cause error) *drydock.Error {
	var timeout *timeoutError
	if errors.As(cause, &timeout) {
		return &drydock.Error{Code: drydock.Failed, Message: timeout.Error(), Err: cause}
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return &drydock.Error{Code: drydock.Failed, Message: "the run ran out of time", Err: &timeoutError{}}
	}
	message := "the run was canceled"
	var back *HandedBack
	if errors.As(cause, &back) {
		return &drydock.Error{Code: drydock.Canceled, Message: "the run was stopped: " + back.Why, Err: cause}
	}
	if !errors.Is(cause, context.Canceled) {
		message += ": " + cause.Error()
	}
	return &drydock.Error{Code: drydock.Canceled, Message: message, Err: cause}
}
