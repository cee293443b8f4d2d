package buildkit

import (
	"context"
	"fmt"
	"io"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

// dockerStore is the run's images as the docker client of the run sees them.
type dockerStore struct{ *session }

var _ dockercmd.Store = (*dockerStore)(nil)

// Docker carries out a docker command.
func (s *session) Docker(ctx context.Context, c engine.DockerCommand) error {
	ctx, done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return s.docker.Run(withStep(ctx, c.StepID), dockercmd.Invocation{
		Args: c.Args, Env: c.Env, Dir: c.Dir, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr,
	})
}

// stepKey is the context key of the step that a docker command belongs to.
type stepKey struct{}

func withStep(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, stepKey{}, id)
}

// Pull implements dockercmd.Images.
func (s *dockerStore) Pull(ctx context.Context, name, platform string, _ io.Writer) (dockercmd.Pulled, error) {
	p, err := platformOf(platform)
	if err != nil {
		return dockercmd.Pulled{}, err
	}
	before := s.images.names()[name]
	img, err := s.pull(ctx, name)
	if err != nil {
		return dockercmd.Pulled{}, err
	}
	if _, _, err := img.open(ctx, p); err != nil {
		return dockercmd.Pulled{}, err
	}
	old, had := before.image.(*registryImage)
	return dockercmd.Pulled{Descriptor: img.desc, Changed: !had || before.resolved || old.desc.Digest != img.desc.Digest}, nil
}

// Tag implements dockercmd.Images.
func (s *dockerStore) Tag(ctx context.Context, src, dst string) error {
	img, err := s.lookup(ctx, src)
	if err != nil {
		return err
	}
	s.images.put(dst, img)
	return nil
}

// lookup finds an image by a name or an id.
func (s *dockerStore) lookup(ctx context.Context, nameOrID string) (image, error) {
	if img := s.images.find(nameOrID); img != nil {
		return img, nil
	}
	list, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, listed := range list {
		if listed.ID == nameOrID || slices.Contains(listed.Digests, nameOrID) {
			return s.images.find(listed.Names[0]), nil
		}
	}
	return nil, fmt.Errorf("%w: %s", dockercmd.ErrNotFound, nameOrID)
}

// Push implements dockercmd.Images.
func (s *dockerStore) Push(ctx context.Context, name string, _ io.Writer) (ocispec.Descriptor, error) {
	if s.images.find(name) == nil {
		return ocispec.Descriptor{}, fmt.Errorf("%w: %s", dockercmd.ErrNotFound, name)
	}
	return s.push(ctx, name, io.Discard)
}

// Remove implements dockercmd.Images.
func (s *dockerStore) Remove(ctx context.Context, nameOrID string) error {
	if s.images.remove(nameOrID) {
		return nil
	}
	list, err := s.List(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, img := range list {
		if img.ID != nameOrID {
			continue
		}
		for _, name := range img.Names {
			found = s.images.remove(name) || found
		}
	}
	if !found {
		return fmt.Errorf("%w: %s", dockercmd.ErrNotFound, nameOrID)
	}
	return nil
}

// Build implements dockercmd.Builder.
func (s *dockerStore) Build(ctx context.Context, flags *buildflags.Build, in dockercmd.Invocation) (string, error) {
	step, _ := ctx.Value(stepKey{}).(string)
	img, err := s.build(ctx, engine.Build{
		StepID: step, Flags: flags, Dir: in.Dir, Env: in.Env, Stdin: in.Stdin, Out: in.Stderr,
	})
	if err != nil {
		return "", err
	}
	described, err := s.describe(ctx, img)
	return described.ID, err
}
