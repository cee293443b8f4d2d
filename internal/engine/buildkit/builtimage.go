package buildkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/cache"
	cacheconfig "github.com/moby/buildkit/cache/config"
	"github.com/moby/buildkit/exporter"
	"github.com/moby/buildkit/exporter/containerimage"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver/llbsolver/compat"
	"github.com/moby/buildkit/util/compression"
	"github.com/moby/buildkit/util/contentutil"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// builtImage is the result of a build: held references, which become blobs, a
// config and a manifest only when somebody wants to push or inspect them.
type builtImage struct {
	session *session
	source  *exporter.Source
	inline  exptypes.InlineCache // cache that goes into the config; may be nil
	bases   []string             // images of registries that the build resolved; set before the first push

	mu       sync.Mutex
	desc     *ocispec.Descriptor
	contents content.Provider
	done     func() // ends the session by which contents are read; nil before it is opened
}

var _ image = (*builtImage)(nil)

// hold clones the references of a build's result, which end with the build.
func holdSource(src *exporter.Source) *exporter.Source {
	held := src.Clone()
	held.Attestations = nil
	if held.Ref != nil {
		held.Ref = held.Ref.Clone()
	}
	for key, ref := range held.Refs {
		if ref != nil {
			held.Refs[key] = ref.Clone()
		}
	}
	return held
}

// open implements image.
func (b *builtImage) open(_ context.Context, platform ocispec.Platform) (cache.ImmutableRef, []byte, error) {
	ps, err := exptypes.ParsePlatforms(b.source.Metadata)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the image's platforms: %w", err)
	}
	match := platforms.Only(platform)
	var built []string
	for _, p := range ps.Platforms {
		built = append(built, platforms.Format(p.Platform))
		if !match.Match(p.Platform) {
			continue
		}
		ref, _ := b.source.FindRef(p.ID)
		return ref, exptypes.ParseKey(b.source.Metadata, exptypes.ExporterImageConfigKey, &p), nil
	}
	return nil, nil, drydock.Errorf(drydock.Failed, "it is for %s, not for %s", strings.Join(built, ", "), platforms.Format(platform)).
		WithHint("build it with --platform %s", platforms.Format(platform))
}

// refs returns the image's references that are not empty.
func (b *builtImage) refs() []cache.ImmutableRef {
	var refs []cache.ImmutableRef
	if b.source.Ref != nil {
		refs = append(refs, b.source.Ref)
	}
	for _, key := range slices.Sorted(maps.Keys(b.source.Refs)) {
		if ref := b.source.Refs[key]; ref != nil {
			refs = append(refs, ref)
		}
	}
	return refs
}

// target implements image. It compresses the layers at the first call. Layers of a
// base image that are not here yet are read while they are pushed, so the session
// with the credentials for that lasts as long as the image.
func (b *builtImage) target(ctx context.Context) (_ ocispec.Descriptor, _ content.Provider, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.desc != nil {
		return *b.desc, b.contents, nil
	}
	bk, done, err := b.session.bareSession(ctx)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	opts := &containerimage.ImageCommitOpts{
		RefCfg: cacheconfig.RefConfig{Compression: compression.New(compression.Default)},
	}
	opts.SetOCITypesDefault(containerimage.DefaultOCITypes(compat.CompatibilityVersionCurrent, b.source))
	opts.SetOCIArtifactDefault(containerimage.DefaultOCIArtifact(compat.CompatibilityVersionCurrent, opts))
	desc, err := b.session.executor.images.Commit(ctx, b.source, bk, b.inline, opts, compat.CompatibilityVersionCurrent, "image")
	if err != nil {
		return ocispec.Descriptor{}, nil, fmt.Errorf("writing the image's layers: %w", err)
	}
	provider, err := b.provider(ctx, bk, opts.RefCfg)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	b.desc, b.contents, b.done = desc, provider, done
	return *desc, provider, nil
}

// provider reads layers of base images from where they came from when they are
// not here.
func (b *builtImage) provider(ctx context.Context, bk string, config cacheconfig.RefConfig) (content.Provider, error) {
	store := b.session.executor.worker.ContentStore()
	multi := contentutil.NewMultiProvider(store)
	sources := map[string]map[string]string{}
	for _, ref := range b.refs() {
		remotes, err := ref.GetRemotes(ctx, false, config, false, bksession.NewGroup(bk))
		if err != nil {
			return nil, fmt.Errorf("finding the image's layers: %w", err)
		}
		for _, desc := range remotes[0].Descriptors {
			multi.Add(desc.Digest, remotes[0].Provider)
			sources[desc.Digest.String()] = desc.Annotations
		}
	}
	return &pushProvider{Provider: multi, store: store, labels: sources, origins: b.bases}, nil
}

// equals reports whether two builds have made the same image.
func (b *builtImage) equals(other *builtImage) bool {
	refs, others := b.refs(), other.refs()
	return maps.EqualFunc(b.source.Metadata, other.source.Metadata, bytes.Equal) &&
		slices.EqualFunc(refs, others, func(a, b cache.ImmutableRef) bool { return a.ID() == b.ID() })
}

// release implements image.
func (b *builtImage) release(ctx context.Context) error {
	b.mu.Lock()
	done := b.done
	b.done = nil
	b.mu.Unlock()
	if done != nil {
		done()
	}
	var errs []error
	for _, ref := range b.refs() {
		errs = append(errs, ref.Release(ctx))
	}
	return errors.Join(errs...)
}

// imageConfig is what containers and `docker inspect` need of a config.
func imageConfig(data []byte) (ocispec.Image, error) {
	var config ocispec.Image
	if len(data) == 0 {
		return config, nil
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return config, fmt.Errorf("reading the image's config: %w", err)
	}
	return config, nil
}
