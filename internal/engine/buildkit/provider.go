package buildkit

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/labels"
	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// localFirst reads from a registry what the store does not have.
type localFirst struct {
	store  content.Provider
	remote content.Provider
}

// ReaderAt implements content.Provider.
func (p *localFirst) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	r, err := p.store.ReaderAt(ctx, desc)
	if cerrdefs.IsNotFound(err) {
		return p.remote.ReaderAt(ctx, desc)
	}
	return r, err
}

// pushProvider is what a push reads from. It also tells in which repositories
// of the target a blob may be already, so that the registry can mount it instead
// of receiving it again. A registry that has it nowhere takes an upload.
type pushProvider struct {
	content.Provider
	store   content.InfoProvider
	labels  map[string]map[string]string // annotations by digest; may be nil
	origins []string                     // images that contents come from
}

var _ content.InfoProvider = (*pushProvider)(nil)

// Info implements content.InfoProvider.
func (p *pushProvider) Info(ctx context.Context, dgst digest.Digest) (content.Info, error) {
	info, err := p.store.Info(ctx, dgst)
	if err != nil {
		info = content.Info{Digest: dgst}
	}
	known := sourceLabels(p.origins)
	maps.Copy(known, p.labels[dgst.String()])
	maps.Copy(known, info.Labels)
	info.Labels = known
	return info, nil
}

// sourceLabels says which repositories hold images, in the form of containerd.
func sourceLabels(images []string) map[string]string {
	repositories := map[string][]string{}
	for _, image := range images {
		named, err := reference.ParseNormalizedNamed(image)
		if err != nil {
			continue
		}
		key := labels.LabelDistributionSource + "." + hostname(reference.Domain(named))
		if path := reference.Path(named); !slices.Contains(repositories[key], path) {
			repositories[key] = append(repositories[key], path)
		}
	}
	out := map[string]string{}
	for key, paths := range repositories {
		out[key] = strings.Join(paths, ",")
	}
	return out
}
