package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
)

// The exit statuses, which are those of the Azure CLI.
const (
	statusOK          = 0
	statusFailed      = 1
	statusUsage       = 2
	statusMissing     = 3
	statusInterrupted = 130
)

// report writes an error as one line and returns the exit status.
func (a *app) report(ctx context.Context, err error) int {
	if err == nil {
		return statusOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return statusInterrupted
	}
	err = a.explain(err)
	prefix := "ERROR: "
	if a.colors(a.Stderr) {
		prefix = "\x1b[31mERROR:\x1b[0m "
	}
	fmt.Fprintln(a.Stderr, prefix+unsigned(oneLine(err.Error())))
	switch drydock.CodeOf(err) {
	case drydock.Invalid:
		return statusUsage
	case drydock.NotFound:
		return statusMissing
	case drydock.Canceled:
		return statusInterrupted
	}
	return statusFailed
}

// signedURL is a URL with a signature, which lets in whoever has it.
var signedURL = regexp.MustCompile(`(https?://[^\s"?]+)\?[^\s"]*\bsig=[^\s"]*`)

// unsigned takes the queries of signed URLs out of a text.
func unsigned(text string) string { return signedURL.ReplaceAllString(text, "$1") }

func oneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}

func usageError(cmd *cobra.Command, err error) error {
	var user *drydock.Error
	if errors.As(err, &user) {
		return err
	}
	return drydock.Errorf(drydock.Invalid, "%w", err).WithHint("see %s --help", cmd.CommandPath())
}
