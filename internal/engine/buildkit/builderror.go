package buildkit

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/containerd/platforms"
	gatewayerrdefs "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/archutil"
	"google.golang.org/grpc/status"

	"github.com/drydockhq/drydock"
)

// explain turns what BuildKit says of a failed build into an error with the
// line of the Dockerfile.
func (b *build) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	out := &drydock.Error{Code: drydock.Failed, Message: plainText("building: " + plainMessage(err))}
	if strings.Contains(out.Message, "downloaded context") {
		out.Message += ": the context is " + redacted(b.context.url)
	}
	known := out
	if refused := b.refusal(err); errors.As(refused, &known) || errors.As(err, &known) {
		copied := *known
		out = &copied
	}
	out.Err = err
	if foreign := foreignProcess(err); foreign != "" {
		out.Message += ": this machine can't run programs for " + foreign
		out.Hint = "RUN needs the machine's own platform: compile for others in a stage FROM --platform=$BUILDPLATFORM, and COPY the result"
	}
	b.locate(out, err)
	if out.Hint == "" {
		out.Hint = b.hint(out.Message)
	}
	return out
}

// locate adds the place in the Dockerfile, and shows the lines around it as
// `docker build` does.
func (b *build) locate(out *drydock.Error, err error) {
	if out.Line > 0 {
		return
	}
	for _, source := range gatewayerrdefs.Sources(err) {
		if source.Info == nil || len(source.Ranges) == 0 {
			continue
		}
		out.File, out.Line, out.Column = source.Info.Filename, int(source.Ranges[0].Start.Line), 1
		_ = source.Print(b.Out)
	}
}

// foreignProcess returns the platform of the process that failed when this
// machine, with the emulators it has, runs no programs for it.
func foreignProcess(err error) string {
	var failed *gatewayerrdefs.OpError
	if !errors.As(err, &failed) || failed.Op.GetExec() == nil || failed.Op.Platform == nil {
		return ""
	}
	wanted := failed.Op.Platform.Spec()
	for _, p := range archutil.SupportedPlatforms(false) {
		if platforms.Only(p).Match(wanted) {
			return ""
		}
	}
	return platforms.Format(wanted)
}

// redacted returns a URL without a password.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "a malformed URL"
	}
	return u.Redacted()
}

// missingFile is how BuildKit says that COPY or ADD names what is not there.
var missingFile = regexp.MustCompile(`failed to compute cache key: failed to calculate checksum of ref [^"]*("[^"]+"): not found`)

// plainMessage leaves out what the layers between put around a message.
func plainMessage(err error) string {
	message := err.Error()
	if s, ok := status.FromError(err); ok && s.Message() != "" {
		message = s.Message()
	}
	for _, prefix := range []string{"failed to solve: ", "rpc error: code = Unknown desc = "} {
		message = strings.TrimPrefix(message, prefix)
	}
	return missingFile.ReplaceAllString(message, "$1 is not there")
}

// hint says what to do about failures that people meet often.
func (b *build) hint(message string) string {
	switch {
	case strings.Contains(message, "no space left on device"), diskFull(b.session.dir):
		return b.session.executor.config.Advice.fullDisk()
	case strings.Contains(message, "exit code: 137"):
		memory := tighter(b.Flags.Memory, b.session.limits.Memory)
		return "a process was killed; each may use no more memory than " + memoryText(memory) + ", as --memory says"
	case strings.Contains(message, "exit code: 126"):
		return chmodHint
	case b.missesGit(message):
		return "a context from git is without the repository: --build-arg " + keepGitArg + "=1 keeps it"
	case strings.HasSuffix(message, "is not there"):
		return "COPY and ADD take files of the context, without those that .dockerignore names, or of the stage that --from names"
	case strings.Contains(message, "repository does not contain ref"):
		return "what follows the # is a branch, a tag or a commit of the repository"
	case strings.Contains(message, "git stderr"):
		return "is the repository's URL right, and can this machine reach it without a login?"
	case strings.Contains(message, "failed to read dockerfile") && strings.Contains(message, "no such file"):
		if b.context.url != "" {
			return "-f names the Dockerfile, relative to the context"
		}
		return "-f names the Dockerfile, relative to the working directory of the step"
	case strings.Contains(message, noMatch):
		return "an image of this Dockerfile has nothing for the platform of the build; --platform chooses another"
	case strings.Contains(message, "exec format error"):
		return "the image is for another processor than this machine's"
	}
	return ""
}
