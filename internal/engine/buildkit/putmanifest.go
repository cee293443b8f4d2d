package buildkit

import (
	"bytes"
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/util/imageutil"
	bkpush "github.com/moby/buildkit/util/push"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

// onlyDefault picks the platform that containers run on.
var onlyDefault = platforms.Only(defaultPlatform)

// PutManifest implements dockercmd.Manifests: it pushes a manifest or index,
// and before it what the target's repository lacks.
func (s *dockerStore) PutManifest(ctx context.Context, put dockercmd.PutManifest) (digest.Digest, error) {
	desc := ocispec.Descriptor{MediaType: put.MediaType, Digest: digest.FromBytes(put.Data), Size: int64(len(put.Data))}
	for child, name := range put.From {
		// An index is only put when all that it lists is there; an image that is
		// copied brings its blobs.
		if child == desc.Digest && images.IsIndexType(put.MediaType) {
			continue
		}
		if err := s.pushChild(ctx, put.Name, child, name); err != nil {
			return "", err
		}
	}
	pusher, err := s.pusher(ctx, put.Name, desc.Digest)
	if err != nil {
		return "", err
	}
	if _, err := remotes.PushHandler(pusher, inMemory{desc.Digest: put.Data})(ctx, desc); err != nil {
		return "", s.remote.problem("pushing image", put.Name, err)
	}
	s.pushed(put.Name, desc)
	return desc.Digest, nil
}

// pushChild pushes a manifest that an index lists, by its digest alone.
func (s *dockerStore) pushChild(ctx context.Context, target string, child digest.Digest, from string) error {
	img, err := s.known(ctx, from)
	if err != nil {
		return err
	}
	_, provider, err := img.target(ctx)
	if err != nil {
		return err
	}
	desc, err := describeManifest(ctx, provider, child)
	if err != nil {
		return s.remote.problem("reading the manifest of image", from, err)
	}
	named, err := reference.ParseNormalizedNamed(target)
	if err != nil {
		return fmt.Errorf("pushing image %s: %w", target, err)
	}
	pusher, err := s.pusher(ctx, reference.TrimNamed(named).String(), child)
	if err != nil {
		return err
	}
	err = remotes.PushContent(ctx, pusher, desc, provider, nil, platforms.All, nil)
	return s.remote.problem("pushing image", target, err)
}

func (s *session) pusher(ctx context.Context, name string, dgst digest.Digest) (remotes.Pusher, error) {
	pusher, err := bkpush.Pusher(ctx, s.remote.resolver(ctx), name+"@"+dgst.String())
	return pusher, s.remote.problem("pushing image", name, err)
}

// describeManifest returns the descriptor of a manifest of which only the digest
// is known.
func describeManifest(ctx context.Context, provider content.Provider, dgst digest.Digest) (ocispec.Descriptor, error) {
	r, err := provider.ReaderAt(ctx, ocispec.Descriptor{Digest: dgst, MediaType: ocispec.MediaTypeImageManifest})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer r.Close()
	mediaType, err := imageutil.DetectManifestMediaType(r)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return ocispec.Descriptor{MediaType: mediaType, Digest: dgst, Size: r.Size()}, nil
}

// inMemory provides contents by their digest.
type inMemory map[digest.Digest][]byte

// ReaderAt implements content.Provider.
func (m inMemory) ReaderAt(_ context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	data, ok := m[desc.Digest]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", desc.Digest, dockercmd.ErrNotFound)
	}
	return bytesReaderAt{bytes.NewReader(data)}, nil
}

type bytesReaderAt struct{ *bytes.Reader }

// Close implements content.ReaderAt.
func (bytesReaderAt) Close() error { return nil }
