package dockercmd

import (
	"errors"
	"io"

	"github.com/distribution/reference"
)

// pull carries out `docker pull`.
func (k *call) pull(args []string) error {
	flags := k.flags()
	all := flags.BoolP("all-tags", "a", false, "Not supported: name the tags that are meant")
	quiet := flags.BoolP("quiet", "q", false, "Suppress verbose output")
	platform := flags.String("platform", k.env("DOCKER_DEFAULT_PLATFORM"), "Pull the image of this platform")
	args, err := k.parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	if *all {
		return errors.New("docker pull --all-tags is not supported in a run: name the tags that are meant")
	}
	named, err := parseName(args[0])
	if err != nil {
		return err
	}
	if *quiet {
		if _, err := k.store.Pull(k.ctx, named.String(), *platform, io.Discard); err != nil {
			return err
		}
		k.printf("%s\n", named)
		return nil
	}
	k.defaulted(args[0], named)
	return k.pullLoudly(named, *platform)
}

// pullLoudly pulls with docker's lines before and after the progress.
func (k *call) pullLoudly(named reference.Named, platform string) error {
	label := tagOrDigest(named)
	if _, ok := named.(reference.Digested); ok {
		label = named.String()
	}
	k.printf("%s: Pulling from %s\n", label, reference.Path(named))
	pulled, err := k.store.Pull(k.ctx, named.String(), platform, k.stdout())
	if err != nil {
		return err
	}
	status := "Image is up to date for"
	if pulled.Changed {
		status = "Downloaded newer image for"
	}
	k.printf("Digest: %s\nStatus: %s %s\n%s\n", pulled.Descriptor.Digest, status, reference.FamiliarString(named), named)
	return nil
}
