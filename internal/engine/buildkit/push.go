package buildkit

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	bkpush "github.com/moby/buildkit/util/push"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// hostname is a registry's host without its port.
func hostname(domain string) string {
	if host, _, err := net.SplitHostPort(domain); err == nil {
		return host
	}
	return domain
}

// Push pushes an image of the table.
func (s *session) Push(ctx context.Context, name string, out io.Writer) (string, error) {
	ctx, done, err := s.begin(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	desc, err := s.push(ctx, name, out)
	return desc.Digest.String(), err
}

func (s *session) push(ctx context.Context, name string, out io.Writer) (ocispec.Descriptor, error) {
	complete, err := completeName(name)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	img := s.images.find(complete)
	if img == nil {
		return ocispec.Descriptor{}, drydock.Errorf(drydock.Failed, "pushing image %s: the run has no image of this name", name).
			WithHint("build, pull or tag it in an earlier step")
	}
	desc, err := s.pushImage(ctx, img, complete)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	s.pushed(complete, desc)
	return desc, nil
}

// pushImage sends what the registry of a complete name lacks of an image.
func (s *session) pushImage(ctx context.Context, img image, name string) (ocispec.Descriptor, error) {
	desc, provider, err := img.target(ctx)
	if err != nil {
		return desc, fmt.Errorf("pushing image %s: %w", name, err)
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return desc, fmt.Errorf("pushing image %s: %w", name, err)
	}
	// The digest beside the tag tells the pusher which of the manifests gets it.
	target, err := reference.WithDigest(named, desc.Digest)
	if err != nil {
		return desc, fmt.Errorf("pushing image %s: %w", name, err)
	}
	pusher, err := bkpush.Pusher(ctx, s.remote.resolver(ctx), target.String())
	if err != nil {
		return desc, s.remote.problem("pushing image", name, err)
	}
	err = remotes.PushContent(ctx, pusher, desc, provider, nil, platforms.All, nil)
	return desc, s.remote.problem("pushing image", name, err)
}
