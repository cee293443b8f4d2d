package images

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Push sends images to the registry at host, over plain HTTP if it is a loopback
// address that does not answer TLS. An element of names is the name of an image,
// which is then its repository and tag, or NAME=REPOSITORY[:TAG]. Options are
// for credentials and CAs.
func (s *Store) Push(ctx context.Context, host string, names []string, opts ...remote.Option) error {
	opts = append([]remote.Option{remote.WithContext(ctx)}, opts...)
	for _, n := range names {
		image, target, ok := strings.Cut(n, "=")
		if !ok {
			target = image
		}
		if err := s.push(ctx, image, host+"/"+target, opts); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) push(ctx context.Context, image, target string, opts []remote.Option) error {
	ref, err := name.ParseReference(target)
	if err != nil {
		return fmt.Errorf("pushing test image %q: %w", image, err)
	}
	index, desc, err := s.open(ctx, image)
	if err != nil {
		return err
	}
	if desc.MediaType.IsIndex() {
		child, err := index.ImageIndex(desc.Digest)
		if err != nil {
			return fmt.Errorf("reading test image %q: %w", image, err)
		}
		err = remote.WriteIndex(ref, child, opts...)
		return wrapPush(image, ref, err)
	}
	child, err := index.Image(desc.Digest)
	if err != nil {
		return fmt.Errorf("reading test image %q: %w", image, err)
	}
	return wrapPush(image, ref, remote.Write(ref, child, opts...))
}

func wrapPush(image string, ref name.Reference, err error) error {
	if err != nil {
		return fmt.Errorf("pushing test image %q as %s: %w", image, ref, err)
	}
	return nil
}
