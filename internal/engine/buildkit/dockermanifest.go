package buildkit

import (
	"context"

	"github.com/containerd/containerd/v2/core/content"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// Manifest implements dockercmd.Manifests.
func (s *dockerStore) Manifest(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	img, err := s.known(ctx, name)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	desc, provider, err := img.target(ctx)
	if err != nil {
		return desc, nil, err
	}
	data, err := content.ReadBlob(ctx, provider, desc)
	return desc, data, s.remote.problem("reading the manifest of image", name, err)
}

// known returns the run's image of a name, or the registry's, which stays out
// of the table.
func (s *dockerStore) known(ctx context.Context, name string) (image, error) {
	if img := s.images.find(name); img != nil {
		return img, nil
	}
	desc, err := s.resolve(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.newRegistryImage(name, desc)
}

// maxBlob bounds what is read of a registry into memory.
const maxBlob = 4 << 20

// Blob implements dockercmd.Manifests.
func (s *dockerStore) Blob(ctx context.Context, name string, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > maxBlob {
		return nil, drydock.Errorf(drydock.Failed, "blob %s of image %s is larger than %d bytes", desc.Digest, name, maxBlob)
	}
	img, err := s.known(ctx, name)
	if err != nil {
		return nil, err
	}
	_, provider, err := img.target(ctx)
	if err != nil {
		return nil, err
	}
	data, err := content.ReadBlob(ctx, provider, desc)
	return data, s.remote.problem("reading image", name, err)
}
