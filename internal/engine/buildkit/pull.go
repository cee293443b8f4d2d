package buildkit

import (
	"context"
	"strings"
	"sync"

	ctdreference "github.com/containerd/containerd/v2/pkg/reference"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/solver/pb"
	srctypes "github.com/moby/buildkit/source/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// defaultPlatform is what builds and containers are for when nobody says
// otherwise, as ACR's are.
var defaultPlatform = ocispec.Platform{OS: "linux", Architecture: "amd64"}

// pin is what a name stood for when the run first asked.
type pin struct {
	mu   sync.Mutex
	desc ocispec.Descriptor // empty until the registry has answered
}

// pin returns the pin of a complete name.
func (t *imageTable) pin(name string) *pin {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.pins[name]
	if !ok {
		p = &pin{}
		t.pins[name] = p
	}
	return p
}

// resolve returns the descriptor of a complete name, as the registry gave it
// to this run at the first time: what was tested is what is promoted.
func (s *session) resolve(ctx context.Context, name string) (ocispec.Descriptor, error) {
	if err := refuseBuiltIn(name); err != nil {
		return ocispec.Descriptor{}, err
	}
	p := s.images.pin(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.desc.Digest != "" {
		return p.desc, nil
	}
	desc, err := s.remote.head(ctx, name)
	if err == nil {
		p.desc = desc
	}
	return desc, err
}

// setPin says what a name stands for from now on in this run.
func (s *session) setPin(name string, desc ocispec.Descriptor) {
	p := s.images.pin(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.desc = desc
}

// pinned returns what a name stands for in this run; its digest is empty when
// that is not known.
func (s *session) pinned(name string) ocispec.Descriptor {
	p := s.images.pin(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.desc
}

// cutScheme splits a source identifier.
func cutScheme(identifier, scheme string) (string, bool) {
	return strings.CutPrefix(identifier, scheme+"://")
}

// image returns the image that a step names: the run's own, or the registry's.
// With fresh it is the registry's in any case.
func (s *session) image(ctx context.Context, name string, fresh bool) (image, error) {
	complete, err := completeName(name)
	if err != nil {
		return nil, err
	}
	if img := s.images.find(complete); img != nil && !fresh {
		return img, nil
	}
	return s.pull(ctx, complete)
}

// pull puts the registry's image of a complete name into the table.
func (s *session) pull(ctx context.Context, name string) (*registryImage, error) {
	desc, err := s.resolve(ctx, name)
	if err != nil {
		return nil, err
	}
	img, err := s.newRegistryImage(name, desc)
	if err != nil {
		return nil, err
	}
	s.images.put(name, img)
	return img, nil
}

// pin rewrites an image source of a build to the digest that the run knows it
// by, after the registry was asked with the run's credentials.
func (s *session) pin(ctx context.Context, op *pb.SourceOp) (*pb.SourceOp, error) {
	spec, ok := cutScheme(op.Identifier, srctypes.DockerImageScheme)
	if !ok {
		return op, nil
	}
	named, err := reference.ParseNormalizedNamed(spec)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "%q is not an image name: %w", spec, err)
	}
	desc, err := s.resolve(ctx, reference.TagNameOnly(named).String())
	if err != nil {
		return nil, err
	}
	pinned, err := reference.WithDigest(reference.TagNameOnly(named), desc.Digest)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "naming image %s by its digest: %w", spec, err)
	}
	if _, err := ctdreference.Parse(pinned.String()); err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "%q is not an image name: %w", spec, err)
	}
	op = op.CloneVT()
	op.Identifier = srctypes.DockerImageScheme + "://" + pinned.String()
	return op, nil
}

// platformOf parses a platform; empty is the default.
func platformOf(s string) (ocispec.Platform, error) {
	if s == "" {
		return defaultPlatform, nil
	}
	p, err := platforms.Parse(s)
	if err != nil {
		return p, drydock.Errorf(drydock.Invalid, "%q is not a platform: %w", s, err).WithHint("for example linux/arm64")
	}
	return p, nil
}
