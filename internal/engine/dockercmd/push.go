package dockercmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
)

// push carries out `docker push`.
func (k *call) push(args []string) error {
	flags := k.flags()
	all := flags.BoolP("all-tags", "a", false, "Push all tags of the repository")
	quiet := flags.BoolP("quiet", "q", false, "Suppress verbose output")
	platform := flags.String("platform", "", "Not supported: an image is pushed as it is")
	args, err := k.parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	if *platform != "" {
		return errors.New("docker push --platform is not supported in a run: pull or build the platform that is meant under a tag of its own")
	}
	targets, err := k.pushTargets(args[0], *all)
	if err != nil {
		return err
	}
	if !*quiet {
		if !*all {
			k.defaulted(args[0], targets[0])
		}
		k.printf("The push refers to repository [%s]\n", targets[0].Name())
	}
	for _, t := range targets {
		if err := k.pushOne(t, *quiet); err != nil {
			return err
		}
	}
	if *quiet && *all {
		k.printf("%s\n", targets[0].Name())
	}
	return nil
}

// pushTargets returns the names to push, which are in the table.
func (k *call) pushTargets(arg string, all bool) ([]reference.Named, error) {
	if all {
		return k.allTags(arg)
	}
	named, err := parseTarget(arg)
	if err != nil {
		return nil, fmt.Errorf("pushing %q: %w", arg, err)
	}
	if _, err := k.store.Inspect(k.ctx, named.String()); errors.Is(err, ErrNotFound) {
		return nil, notTagged(named.String())
	} else if err != nil {
		return nil, err
	}
	return []reference.Named{named}, nil
}

// allTags returns all names of a repository in the table.
func (k *call) allTags(arg string) ([]reference.Named, error) {
	repository, err := reference.ParseNormalizedNamed(arg)
	if err != nil {
		return nil, fmt.Errorf("invalid reference format: %q: %w", arg, err)
	}
	if !reference.IsNameOnly(repository) {
		return nil, errors.New("tag can't be used with --all-tags/-a")
	}
	images, err := k.store.List(k.ctx)
	if err != nil {
		return nil, err
	}
	var targets []reference.Named
	for _, i := range images {
		for _, n := range i.Names {
			if !strings.HasPrefix(n, repository.Name()+":") {
				continue
			}
			named, err := reference.ParseNormalizedNamed(n)
			if err != nil {
				return nil, fmt.Errorf("reading the name %q: %w", n, err)
			}
			targets = append(targets, named)
		}
	}
	if len(targets) == 0 {
		return nil, notTagged(repository.String())
	}
	return targets, nil
}

// pushOne pushes one name and prints its digest.
func (k *call) pushOne(named reference.Named, quiet bool) error {
	out := k.stdout()
	if quiet {
		out = io.Discard
	}
	desc, err := k.store.Push(k.ctx, named.String(), out)
	if err != nil {
		return err
	}
	if quiet {
		k.printf("%s\n", named)
		return nil
	}
	k.printf("%s: digest: %s size: %d\n", tagOrDigest(named), desc.Digest, desc.Size)
	return nil
}
