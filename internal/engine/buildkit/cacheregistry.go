package buildkit

import (
	"context"
	"maps"

	"github.com/moby/buildkit/cache/remotecache"
	registrycache "github.com/moby/buildkit/cache/remotecache/registry"
	bksession "github.com/moby/buildkit/session"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// exportCache returns what writes caches of builds to registries.
func (e *Executor) exportCache() remotecache.ResolveCacheExporterFunc {
	resolve := registrycache.ResolveCacheExporterFunc(e.sessions, e.buildHosts())
	return func(ctx context.Context, group bksession.Group, attrs map[string]string) (remotecache.Exporter, error) {
		attrs, err := e.cacheRegistry(group, attrs)
		if err != nil {
			return nil, err
		}
		return resolve(ctx, group, attrs)
	}
}

// importCache returns what reads caches of builds from registries.
func (e *Executor) importCache() remotecache.ResolveCacheImporterFunc {
	resolve := registrycache.ResolveCacheImporterFunc(e.sessions, e.worker.ContentStore(), e.buildHosts())
	return func(ctx context.Context, group bksession.Group, attrs map[string]string) (remotecache.Importer, ocispec.Descriptor, error) {
		attrs, err := e.cacheRegistry(group, attrs)
		if err != nil {
			return nil, ocispec.Descriptor{}, err
		}
		return resolve(ctx, group, attrs)
	}
}

// cacheRegistry returns the attributes of a cache with the reference by which
// BuildKit is to reach it. Frontends name caches too, and may name none in the way
// that is BuildKit's alone.
func (e *Executor) cacheRegistry(group bksession.Group, attrs map[string]string) (map[string]string, error) {
	const key = "ref"
	ref := attrs[key]
	if _, marked := plainReference(ref); marked {
		return nil, drydock.Errorf(drydock.Denied, "cache %s: the host is not one of a registry", ref)
	}
	ids := bksession.AllSessionIDs(group)
	if len(ids) == 0 {
		return attrs, nil
	}
	for _, id := range ids {
		if b := e.runs.build(id); b == nil || !b.session.isReal(ref) {
			return attrs, nil
		}
	}
	attrs = maps.Clone(attrs)
	attrs[key] = realReference(ref)
	return attrs, nil
}
