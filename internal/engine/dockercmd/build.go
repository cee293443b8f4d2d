package dockercmd

import (
	"strings"

	"github.com/drydockhq/drydock/internal/buildflags"
)

// build carries out `docker build` and `docker buildx build`.
func (k *call) build(args []string) error {
	flags, err := buildflags.Parse(args)
	if err != nil {
		return &usageError{status: 125, message: k.name + ": " + err.Error()}
	}
	for _, w := range flags.Warnings {
		k.errorf("WARNING: %s\n", w)
	}
	if p := k.env("DOCKER_DEFAULT_PLATFORM"); p != "" && len(flags.Platforms) == 0 {
		flags.Platforms = []string{strings.ToLower(p)}
	}
	id, err := k.store.Build(k.ctx, flags, k.in)
	if err != nil {
		return err
	}
	if flags.Quiet {
		k.printf("%s\n", id)
	}
	return nil
}
