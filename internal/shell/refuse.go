package shell

import (
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

const (
	hintBash  = "let a shell inside the container do it: bash -c '…' in single quotes"
	hintQuote = "put it in single quotes when it is meant literally, or let a shell inside the container do it: bash -c '…'"
)

// errorAt returns an Invalid error at the byte offset of src.
func errorAt(src string, offset int, format string, args ...any) *drydock.Error {
	line, column := position(src, offset)
	return drydock.Errorf(drydock.Invalid, format, args...).At(line, column)
}

// position counts lines and runes, where the parser counts bytes and stops
// counting in long lines.
func position(src string, offset int) (line, column int) {
	before := src[:min(max(offset, 0), len(src))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

// runFlag returns the advice for a flag of `docker run` in front of the image.
func runFlag(flag string) string {
	name, _, _ := strings.Cut(flag, "=")
	switch name {
	case "-e", "--env", "--env-file":
		return "set the step's `env` instead"
	case "-p", "--publish":
		return "set the step's `ports` instead"
	case "--expose":
		return "set the step's `expose` instead"
	case "-v", "--volume", "--mount":
		return "set the step's `volumeMounts` instead"
	case "-w", "--workdir":
		return "set the step's `workingDirectory` instead"
	case "-u", "--user":
		return "set the step's `user` instead"
	case "-d", "--detach":
		return "set the step's `detach: true` instead"
	case "--entrypoint":
		return "set the step's `entryPoint` instead"
	case "--network", "--net":
		return "set the step's `network` instead"
	case "--privileged":
		return "set the step's `privileged: true` instead"
	case "--cpus":
		return "set the step's `cpus` instead"
	case "--isolation":
		return "set the step's `isolation` instead"
	case "--pull":
		return "set the step's `pull: true` instead"
	case "--name", "-h", "--hostname":
		return "the step's `id` names the container"
	case "--rm":
		return "leave it out: containers are removed at the end unless the step says `keep: true`"
	case "-i", "-t", "-it", "-ti", "--interactive", "--tty":
		return "leave it out: a step has no terminal"
	default:
		return "options of a container are properties of the step: env, ports, user, entryPoint, network, …"
	}
}
