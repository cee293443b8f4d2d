package main

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/blobs"
)

// maintainEvery is how often what is old is removed.
const maintainEvery = time.Hour

// eventsFor is how long events are kept that everybody is done with: they say who
// it was when somebody asks why a run ran.
const eventsFor = 90 * 24 * time.Hour

// maintain removes what is old until ctx ends: logs, uploads, events, and what no
// image needs any more.
func (d *daemon) maintain(ctx context.Context) {
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		d.expire(ctx)
		d.sweep(ctx)
		if err := d.store.DeleteEvents(ctx, d.now().Add(-eventsFor)); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "removing old events", "error", err)
		}
		timer.Reset(maintainEvery)
	}
}

// expire removes old uploads, old logs but those of archived runs, and links to
// them.
func (d *daemon) expire(ctx context.Context) {
	if err := d.store.DeleteCommitStatuses(ctx, d.now().Add(-d.config.LogsFor)); err != nil && ctx.Err() == nil {
		d.log.WarnContext(ctx, "removing what is old", "kind", "commit statuses", "error", err)
	}
	registries, err := d.registries(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "reading the registries", "error", err)
		return
	}
	byContainer := map[string]drydock.ResourceID{}
	for _, r := range registries {
		byContainer[container(logsPrefix, r.ID)] = r.ID
	}
	keep := func(key blobs.Key) bool {
		registry, ok := byContainer[key.Container]
		if !ok {
			return false
		}
		id, _, _ := strings.Cut(key.Name, "/")
		r, err := d.store.Run(ctx, registry, id)
		return err == nil && (r.Archived || !r.Status.Ended())
	}
	busy := map[string]bool{} // containers whose uploads a run may still need
	for _, r := range registries {
		active, err := d.store.Runs(ctx, drydock.RunFilter{Registry: r.ID, OnlyActive: true, Brief: true, Limit: 1})
		busy[container(sourcesPrefix, r.ID)] = err != nil || len(active) > 0
	}
	needed := func(key blobs.Key) bool { return busy[key.Container] }
	for _, kind := range []struct {
		prefix string
		after  time.Duration
		keep   func(blobs.Key) bool
	}{{logsPrefix, d.config.LogsFor, keep}, {sourcesPrefix, d.config.SourcesFor, needed}} {
		n, err := d.blobs.folder.Expire(ctx, kind.prefix, d.now().Add(-kind.after), kind.keep)
		if err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "removing what is old", "kind", kind.prefix, "error", err)
		} else if n > 0 {
			d.log.InfoContext(ctx, "removed what is old", "kind", kind.prefix, "count", n)
		}
	}
}

// sweep frees the blobs of registries that no image needs.
func (d *daemon) sweep(ctx context.Context) {
	registries, err := d.registries(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "reading the registries", "error", err)
		return
	}
	for _, r := range registries {
		if ctx.Err() != nil {
			return
		}
		reg, err := registryDirectory{d}.Registry(ctx, r.ID.Name())
		if err != nil {
			continue // it was deleted meanwhile
		}
		swept, err := d.oci.Sweep(ctx, reg)
		if err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "sweeping a registry", "registry", r.ID.Name(), "error", err)
		} else if swept.Blobs > 0 {
			d.log.InfoContext(ctx, "swept a registry", "registry", r.ID.Name(), "blobs", swept.Blobs, "bytes", swept.Bytes)
		}
	}
}
