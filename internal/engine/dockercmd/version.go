package dockercmd

import (
	"errors"
	"io"
	"strings"
)

// versionLine is what `docker --version` prints.
const versionLine = "Docker version 29, the builtin client of a Drydock run (no daemon)"

// version carries out `docker version`.
func (k *call) version(args []string) error {
	flags := k.flags()
	format := flags.StringP("format", "f", "", "Not supported: there is no daemon to ask")
	if _, err := k.parse(flags, args, 0, 0); err != nil {
		return err
	}
	if *format != "" {
		return errors.New("docker version --format is not supported in a run: its docker is a builtin without a daemon")
	}
	k.printf("Client: Drydock's builtin docker\n Works on: the images of this run, and registries\n Commands: %s\n\nServer: none (images are built by an embedded BuildKit)\n", supported(commands()))
	return nil
}

// buildxVersion carries out `docker buildx version`.
func (k *call) buildxVersion(args []string) error {
	if _, err := k.parse(k.flags(), args, 0, 0); err != nil {
		return err
	}
	k.printf("drydock builtin buildx (embedded BuildKit)\n")
	return nil
}

// env returns a variable of the invocation, "" when it is not set.
func (k *call) env(name string) string {
	for i := len(k.in.Env) - 1; i >= 0; i-- {
		if n, value, ok := strings.Cut(k.in.Env[i], "="); ok && n == name {
			return value
		}
	}
	return ""
}

// stdout returns standard output, which may be absent.
func (k *call) stdout() io.Writer {
	if k.in.Stdout == nil {
		return io.Discard
	}
	return k.in.Stdout
}
