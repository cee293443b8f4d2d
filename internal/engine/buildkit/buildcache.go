package buildkit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/moby/buildkit/frontend"
	bksession "github.com/moby/buildkit/session"
	bksolver "github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/llbsolver"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
)

// findCaches finds what --cache-from and --cache-to, and `cache: enabled`, name.
func (b *build) findCaches() {
	b.cacheFrom, b.cacheTo = slices.Clone(b.Flags.CacheFrom), slices.Clone(b.Flags.CacheTo)
	if !b.Cache || b.session.spec.Untrusted {
		return
	}
	ref := b.cacheRef()
	if ref == "" {
		return
	}
	b.cacheFrom = append(b.cacheFrom, buildflags.CacheEntry{Type: "registry", Attrs: map[string]string{"ref": ref}})
	b.cacheTo = append(b.cacheTo, buildflags.CacheEntry{
		Type: "registry", Attrs: map[string]string{"ref": ref, "mode": "max"},
	})
}

// cacheAttrs names the caches to look into. The frontend hands them on with what
// it has the solver solve; those of the request itself are for definitions.
func (b *build) cacheAttrs(attrs map[string]string) error {
	imports, err := b.cacheImports()
	if err != nil {
		return err
	}
	if len(imports) == 0 {
		return nil
	}
	text, err := json.Marshal(imports)
	if err != nil {
		return fmt.Errorf("naming the caches of the build: %w", err)
	}
	attrs["cache-imports"] = string(text)
	return nil
}

func (b *build) cacheImports() ([]frontend.CacheOptionsEntry, error) {
	var out []frontend.CacheOptionsEntry
	for _, c := range b.cacheFrom {
		if c.Type != "registry" {
			return nil, drydock.Errorf(drydock.Invalid, "--cache-from type=%s is not supported", c.Type).
				WithHint("use type=registry, also for the inline cache of an image")
		}
		out = append(out, frontend.CacheOptionsEntry{Type: c.Type, Attrs: c.Attrs})
	}
	return out, nil
}

func (b *build) cacheExporters(ctx context.Context, bk string) ([]llbsolver.RemoteCacheExporter, error) {
	var out []llbsolver.RemoteCacheExporter
	for _, c := range b.cacheTo {
		resolve, ok := b.session.executor.solver.cacheExporters[c.Type]
		if !ok {
			return nil, drydock.Errorf(drydock.Invalid, "--cache-to type=%s is not supported", c.Type).
				WithHint("use type=registry or type=inline")
		}
		exporter, err := resolve(ctx, bksession.NewGroup(bk), c.Attrs)
		if err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "--cache-to: %w", err)
		}
		mode := bksolver.CacheExportModeMin
		if c.Attrs["mode"] == "max" {
			mode = bksolver.CacheExportModeMax
		}
		out = append(out, llbsolver.RemoteCacheExporter{
			Exporter:        exporter,
			CacheExportMode: mode,
			IgnoreError:     c.Attrs["ignore-error"] == "true",
		})
	}
	return out, nil
}

// wantsInlineCache reports whether the image's config is to hold a cache.
func (b *build) wantsInlineCache() bool {
	return slices.ContainsFunc(b.cacheTo, func(c buildflags.CacheEntry) bool { return c.Type == "inline" })
}

// cacheNamespace separates the cache mounts of tasks, and those of runs that are
// not trusted from all others. Runs of a scope without a task share theirs.
func (b *build) cacheNamespace() string {
	scope := b.session.spec.CacheScope
	if scope != "" {
		scope += " "
	}
	if b.session.spec.Untrusted {
		return scope + "untrusted:" + b.session.spec.TaskName
	}
	if b.session.spec.TaskName == "" {
		return scope + quickRun
	}
	return scope + "task:" + b.session.spec.TaskName
}
