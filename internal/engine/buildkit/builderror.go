package buildkit

import (
	"context"
	"errors"
	"strings"

	gatewayerrdefs "github.com/moby/buildkit/solver/errdefs"
	"google.golang.org/grpc/status"

	"github.com/drydockhq/drydock"
)

// explain turns what BuildKit says of a failed build into an error with the
// line of the Dockerfile.
func (b *build) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *drydock.Error
	if errors.As(err, &known) {
		return err
	}
	out := &drydock.Error{Code: drydock.Failed, Message: "building: " + plainMessage(err), Err: err}
	sources := gatewayerrdefs.Sources(err)
	for _, source := range sources {
		if source.Info == nil || len(source.Ranges) == 0 {
			continue
		}
		out.File, out.Line, out.Column = source.Info.Filename, int(source.Ranges[0].Start.Line), 1
		// The lines around it, as `docker build` shows them.
		_ = source.Print(b.Out)
	}
	out.Hint = buildHint(out.Message)
	return out
}

// plainMessage leaves out what the layers between put around a message.
func plainMessage(err error) string {
	message := err.Error()
	if s, ok := status.FromError(err); ok && s.Message() != "" {
		message = s.Message()
	}
	for _, prefix := range []string{"failed to solve: ", "rpc error: code = Unknown desc = "} {
		message = strings.TrimPrefix(message, prefix)
	}
	return message
}

// buildHint says what to do about failures that people meet often.
func buildHint(message string) string {
	switch {
	case strings.Contains(message, "no space left on device"):
		return "the disk is full: `drydockd prune` frees the cache"
	case strings.Contains(message, "exit code: 137"):
		return "a process was killed; --memory sets how much memory a run may use"
	case strings.Contains(message, "permission denied") && strings.Contains(message, "exit code: 126"):
		return "make the file executable with chmod +x, and commit its mode"
	case strings.Contains(message, "failed to read dockerfile"):
		return "-f names the Dockerfile, relative to the working directory of the step"
	case strings.Contains(message, "exec format error"):
		return "the image is for another processor than this machine's"
	}
	return ""
}
