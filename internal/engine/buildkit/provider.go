package buildkit

import (
	"context"

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
// of the target a blob already is, so that the registry can mount it instead
// of receiving it again.
type pushProvider struct {
	content.Provider
	store  content.InfoProvider
	labels map[string]map[string]string // annotations by digest; may be nil
	origin string                       // complete name that all contents come from; may be empty
}

var _ content.InfoProvider = (*pushProvider)(nil)

// Info implements content.InfoProvider.
func (p *pushProvider) Info(ctx context.Context, dgst digest.Digest) (content.Info, error) {
	info, err := p.store.Info(ctx, dgst)
	if err != nil {
		info = content.Info{Digest: dgst}
	}
	known := map[string]string{}
	for key, value := range p.labels[dgst.String()] {
		known[key] = value
	}
	for key, value := range info.Labels {
		known[key] = value
	}
	if named, err := reference.ParseNormalizedNamed(p.origin); err == nil {
		key := labels.LabelDistributionSource + "." + hostname(reference.Domain(named))
		if known[key] == "" {
			known[key] = reference.Path(named)
		}
	}
	info.Labels = known
	return info, nil
}
