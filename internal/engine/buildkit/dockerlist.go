package buildkit

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

// List implements dockercmd.Images.
func (s *dockerStore) List(ctx context.Context) ([]dockercmd.Image, error) {
	byID := map[string]*dockercmd.Image{}
	for name, tag := range s.images.names() {
		if tag.resolved {
			continue
		}
		described, err := s.describe(ctx, tag.image)
		if err != nil {
			return nil, err
		}
		known, ok := byID[described.ID]
		if !ok {
			known = &described
			byID[described.ID] = known
		}
		known.Names = append(known.Names, name)
		if tag.since.After(known.Tagged) {
			known.Tagged = tag.since
		}
	}
	var list []dockercmd.Image
	for _, img := range byID {
		sort.Strings(img.Names)
		img.Digests = s.digestNames(img.Names, img.Target.Digest)
		list = append(list, *img)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Tagged.After(list[j].Tagged) })
	return list, nil
}

// digestNames returns the names with a digest under which a registry has the
// image.
func (s *session) digestNames(names []string, dgst digest.Digest) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, name := range names {
		named, err := reference.ParseNormalizedNamed(name)
		if err != nil {
			continue
		}
		img, fromRegistry := s.images.find(name).(*registryImage)
		if s.digests[name] != dgst.String() && (!fromRegistry || img.repository() != named.Name()) {
			continue
		}
		if full := reference.TrimNamed(named).String() + "@" + dgst.String(); !slices.Contains(out, full) {
			out = append(out, full)
		}
	}
	return out
}

// Inspect implements dockercmd.Images.
func (s *dockerStore) Inspect(ctx context.Context, name string) (dockercmd.Image, error) {
	img, err := s.lookup(ctx, name)
	if err != nil {
		return dockercmd.Image{}, err
	}
	described, err := s.describe(ctx, img)
	if err != nil {
		return described, err
	}
	for other, tag := range s.images.names() {
		if sameImage(tag.image, img) {
			described.Names = append(described.Names, other)
		}
	}
	sort.Strings(described.Names)
	described.Digests = s.digestNames(described.Names, described.Target.Digest)
	return described, nil
}

// describe says of an image what does not depend on its names.
func (s *session) describe(ctx context.Context, img image) (dockercmd.Image, error) {
	desc, provider, err := img.target(ctx)
	if err != nil {
		return dockercmd.Image{}, err
	}
	out := dockercmd.Image{ID: desc.Digest.String(), Target: desc, Size: desc.Size}
	manifest, err := images.Manifest(ctx, provider, desc, onlyDefault)
	if err != nil {
		return out, nil // an index without this machine's platform, or an artifact
	}
	config, err := content.ReadBlob(ctx, provider, manifest.Config)
	if err != nil {
		return out, fmt.Errorf("reading the image's config: %w", err)
	}
	out.ID, out.Config = manifest.Config.Digest.String(), config
	for _, layer := range manifest.Layers {
		out.Size += layer.Size
	}
	return out, nil
}
