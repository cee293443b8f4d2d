package buildkit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/remotes"
	ctdreference "github.com/containerd/containerd/v2/pkg/reference"
	cerrdefs "github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/cache"
	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/util/progress"
	"github.com/moby/buildkit/util/progress/controller"
	"github.com/moby/buildkit/util/pull"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// registryImage is an image of a registry, by digest. Its manifest stays byte
// for byte what the registry has; layers are fetched when a container or a push
// to another registry needs them.
type registryImage struct {
	session *session
	asked   string // the complete name by which the run came to know it
	name    string // the same with the digest
	desc    ocispec.Descriptor

	mu     sync.Mutex
	opened map[string]openedImage // by platform
}

type openedImage struct {
	ref    cache.ImmutableRef // nil for an image without layers
	config []byte
}

var _ image = (*registryImage)(nil)

// newRegistryImage returns the image that desc stands for in name's repository.
func (s *session) newRegistryImage(name string, desc ocispec.Descriptor) (*registryImage, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "%q is not an image name: %w", name, err)
	}
	pinned, err := reference.WithDigest(named, desc.Digest)
	if err != nil {
		return nil, fmt.Errorf("naming image %s by its digest: %w", name, err)
	}
	return &registryImage{session: s, asked: name, name: pinned.String(), desc: desc, opened: map[string]openedImage{}}, nil
}

// repository returns the complete name of the repository that holds the image.
func (r *registryImage) repository() string {
	repository, _, _ := strings.Cut(r.name, "@")
	if named, err := reference.ParseNormalizedNamed(repository); err == nil {
		return named.Name()
	}
	return repository
}

// open implements image.
func (r *registryImage) open(ctx context.Context, platform ocispec.Platform) (cache.ImmutableRef, []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := platforms.FormatAll(platform)
	if o, ok := r.opened[key]; ok {
		return o.ref, o.config, nil
	}
	manifests, err := r.pullManifests(ctx, platform)
	if err != nil {
		return nil, nil, r.session.remote.problem("pulling image", r.name, err)
	}
	config, err := content.ReadBlob(ctx, r.store(), manifests.ConfigDesc)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the config of image %s: %w", r.name, err)
	}
	ref, err := r.layers(ctx, manifests)
	if err != nil {
		return nil, nil, r.session.remote.problem("pulling image", r.name, err)
	}
	r.opened[key] = openedImage{ref: ref, config: config}
	return ref, config, nil
}

func (r *registryImage) store() content.Store { return r.session.executor.worker.ContentStore() }

// noMatch is in containerd's error for an index without a platform.
const noMatch = "no match for platform"

// pullManifests fetches all of the image but its layers.
func (r *registryImage) pullManifests(ctx context.Context, platform ocispec.Platform) (*pull.PulledManifests, error) {
	spec, err := ctdreference.Parse(r.name)
	if err != nil {
		return nil, err
	}
	resolver := r.session.remote.resolver(ctx)
	puller := &pull.Puller{ContentStore: r.store(), Resolver: resolver, Src: spec, Platform: platform}
	manifests, err := puller.PullManifests(ctx, func(bksession.Group) remotes.Resolver { return resolver })
	if err != nil && !strings.Contains(err.Error(), noMatch) {
		return nil, err
	}
	if err != nil || manifests.ConfigDesc.Digest == "" {
		return nil, drydock.Errorf(drydock.Failed, "image %s has no manifest for %s", r.name, platforms.Format(platform)).
			WithHint("`docker manifest inspect %s` lists its platforms", r.asked)
	}
	return manifests, nil
}

// layers makes one reference of the image's layers, still to be fetched.
func (r *registryImage) layers(ctx context.Context, manifests *pull.PulledManifests) (current cache.ImmutableRef, err error) {
	handlers := cache.DescHandlers{}
	for _, desc := range manifests.Descriptors {
		handlers[desc.Digest] = &cache.DescHandler{
			Provider:    manifests.Provider,
			Progress:    &controller.Controller{WriterFactory: progress.FromContext(ctx), Name: r.name},
			Annotations: desc.Annotations,
			Ref:         manifests.Ref,
		}
	}
	for _, desc := range manifests.Descriptors {
		parent := current
		current, err = r.session.executor.cache.GetByBlob(ctx, desc, parent, handlers, cache.WithImageRef(manifests.Ref))
		if parent != nil {
			err = errors.Join(err, parent.Release(context.WithoutCancel(ctx)))
		}
		if err != nil {
			return nil, err
		}
	}
	if current == nil {
		return nil, nil
	}
	return current, r.attach(ctx, current, manifests.Nonlayers)
}

// attach keeps manifests and config for as long as the layers are kept.
func (r *registryImage) attach(ctx context.Context, ref cache.ImmutableRef, descs []ocispec.Descriptor) error {
	for _, desc := range descs {
		err := r.session.executor.worker.LeaseManager().AddResource(ctx, leases.Lease{ID: ref.ID()},
			leases.Resource{ID: desc.Digest.String(), Type: "content"})
		if err != nil && !cerrdefs.IsNotFound(err) {
			return fmt.Errorf("keeping the manifest of image %s: %w", r.name, err)
		}
	}
	return nil
}

// target implements image.
func (r *registryImage) target(ctx context.Context) (ocispec.Descriptor, content.Provider, error) {
	provider, err := r.session.remote.provider(ctx, r.name)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	return r.desc, &pushProvider{
		Provider: &localFirst{store: r.store(), remote: provider},
		store:    r.store(),
		origins:  []string{r.name},
	}, nil
}

// release implements image.
func (r *registryImage) release(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, o := range r.opened {
		if o.ref != nil {
			errs = append(errs, o.ref.Release(ctx))
		}
	}
	r.opened = nil
	return errors.Join(errs...)
}
