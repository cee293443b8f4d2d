package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
)

// The exit statuses of drydockd.
const (
	statusOK          = 0
	statusFailed      = 1
	statusInvalid     = 2
	statusInterrupted = 130
)

// report writes err, if any, to standard error, as one line but for the mistakes of a
// configuration, and returns the exit
// status.
func (p *program) report(ctx context.Context, err error) int {
	if err == nil {
		return statusOK
	}
	var mistakes *config.Mistakes
	if errors.As(err, &mistakes) {
		fmt.Fprintf(p.stderr, "drydockd: %v\n", mistakes) // a line each
	} else {
		fmt.Fprintf(p.stderr, "drydockd: %s\n", oneLine(err.Error()))
	}
	return exitStatus(ctx, err)
}

// exitStatus returns what err means to the caller of the program. Whatever
// failed after a signal counts as interrupted by it.
func exitStatus(ctx context.Context, err error) int {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return statusInterrupted
	}
	switch drydock.CodeOf(err) {
	case drydock.Invalid:
		return statusInvalid
	case drydock.Canceled:
		return statusInterrupted
	default:
		return statusFailed
	}
}

func oneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}
