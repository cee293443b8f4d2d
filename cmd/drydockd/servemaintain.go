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
	clock := newClockGuard(d.now)
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if jump := clock.look(); jump != 0 {
			d.log.WarnContext(ctx, "the clock was set: what is old is not removed for a while", "by", jump.String(), "for", clockHold.String())
		}
		if !clock.holding() {
			d.expireRuns(ctx)
			d.expire(ctx)
			d.sweep(ctx)
			d.purgeVaults(ctx)
			if err := d.store.DeleteEvents(ctx, d.now().Add(-eventsFor)); err != nil && ctx.Err() == nil {
				d.log.WarnContext(ctx, "removing old events", "error", err)
			}
		}
		timer.Reset(maintainEvery)
	}
}

// runsAtATime is how many runs are deleted at a time: others want to write too.
const runsAtATime = 200

// expireRuns deletes old runs with their logs. Logs that it does not get to are
// removed by expire.
func (d *daemon) expireRuns(ctx context.Context) {
	if d.config.RunsFor == 0 {
		return
	}
	for total := 0; ctx.Err() == nil; {
		deleted, err := d.store.DeleteRuns(ctx, d.now().Add(-d.config.RunsFor), runsAtATime)
		if err != nil {
			d.log.WarnContext(ctx, "deleting old runs", "error", err)
			return
		}
		for _, r := range deleted {
			if err := d.deleteLog(ctx, r); err != nil {
				d.log.WarnContext(ctx, "deleting the log of an old run", "registry", r.Registry.Name(), "run", r.ID, "error", err)
			}
		}
		if total += len(deleted); len(deleted) < runsAtATime {
			if total > 0 {
				d.log.InfoContext(ctx, "deleted old runs", "count", total)
			}
			return
		}
	}
}

func (d *daemon) deleteLog(ctx context.Context, r drydock.RunRecord) error {
	key, err := d.blobs.logKey(ctx, r.Registry, r.ID)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // with its registry
	}
	if err != nil {
		return err
	}
	return d.blobs.folder.Delete(ctx, key)
}

// orphanedAfter is how old blobs must be to be removed whose registry is gone:
// what was made since may be one of a registry that came while we were looking.
const orphanedAfter = time.Hour

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
		byContainer[containerOf(logsPrefix, r)] = r.ID
	}
	keep := func(key blobs.Key) bool {
		registry, ok := byContainer[key.Container]
		if !ok {
			return false
		}
		id, _, _ := strings.Cut(key.Name, "/")
		r, err := d.store.Run(ctx, registry, id)
		if err != nil {
			return drydock.CodeOf(err) != drydock.NotFound // nobody knows what the run is
		}
		return r.Archived || !r.Status.Ended()
	}
	busy := map[string]bool{} // containers whose uploads a run may still need
	for _, r := range registries {
		active, err := d.store.Runs(ctx, drydock.RunFilter{Registry: r.ID, OnlyActive: true, Brief: true, Limit: 1})
		busy[containerOf(sourcesPrefix, r)] = err != nil || len(active) > 0
	}
	needed := func(key blobs.Key) bool { return busy[key.Container] }
	hasRegistry := func(key blobs.Key) bool {
		_, sources := busy[key.Container]
		_, logs := byContainer[key.Container]
		return sources || logs
	}
	for _, kind := range []struct {
		name, prefix string
		after        time.Duration
		keep         func(blobs.Key) bool
	}{
		{"logs", logsPrefix, d.config.LogsFor, keep},
		{"sources", sourcesPrefix, d.config.SourcesFor, needed},
		{"of registries that are gone", "", orphanedAfter, hasRegistry},
	} {
		n, err := d.blobs.folder.Expire(ctx, kind.prefix, d.now().Add(-kind.after), kind.keep)
		if err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "removing what is old", "kind", kind.name, "error", err)
		} else if n > 0 {
			d.log.InfoContext(ctx, "removed what is old", "kind", kind.name, "count", n)
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
