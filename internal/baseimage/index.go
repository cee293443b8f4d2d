package baseimage

import (
	"context"

	"github.com/drydockhq/drydock"
)

// index writes what tasks are built from.
type index struct {
	store Store
	hosts Hosts
}

// put stores what is known of a task whose bases were others before. Tags that
// nothing is known of yet are looked up; on those that are new to it and without
// a digest the task stands as they are now.
func (x index) put(ctx context.Context, images drydock.TaskImages, before []drydock.BaseImage, absent ...drydock.ImageName) error {
	if err := x.store.PutTaskImages(ctx, images); err != nil {
		return err
	}
	was := map[drydock.ImageName]bool{}
	for _, b := range before {
		was[b.Image] = true
	}
	gone := map[drydock.ImageName]bool{}
	for _, image := range absent {
		gone[image] = true
	}
	var fresh []drydock.ImageName
	for _, b := range images.Bases {
		if b.Image.Pinned() {
			continue
		}
		if err := x.seed(ctx, b, gone[b.Image]); err != nil {
			return err
		}
		if b.Digest == "" && !was[b.Image] && !gone[b.Image] {
			fresh = append(fresh, b.Image)
		}
	}
	return x.store.SettleImages(ctx, images.Task, fresh...)
}

// seed finds out what a tag points at that nothing is known of yet: of this
// server's registries from what they hold, of others from what was resolved
// there. Gone says that its registry has no such tag.
func (x index) seed(ctx context.Context, b drydock.BaseImage, gone bool) error {
	known, err := x.store.ImageStates(ctx, b.Image)
	if err != nil {
		return err
	}
	if _, there := known[b.Image]; there {
		return nil
	}
	state := drydock.ImageState{Image: b.Image, Digest: b.Digest}
	// The events up to now are older, also those that are still to be read.
	if state.Event, err = x.store.LastEvent(ctx); err != nil {
		return err
	}
	registry, ours, err := x.hosts.Registry(ctx, b.Image.Registry)
	if err != nil {
		return err
	}
	switch {
	case ours:
		if state.Digest, err = tagDigest(ctx, x.store, registry, b.Image); err != nil {
			return err
		}
	case b.Digest == "" && !gone:
		return nil // a look at it will tell
	}
	_, err = x.store.PutImageState(ctx, state)
	return err
}
