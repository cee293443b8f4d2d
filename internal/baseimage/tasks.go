package baseimage

import (
	"context"

	"github.com/drydockhq/drydock"
)

// taskChanged takes notice that a task was created, changed or deleted.
func (f *Follower) taskChanged(ctx context.Context, task drydock.ResourceID) error {
	triggers, err := f.Tasks.Triggers(ctx, task)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // what was known of it went with it, or will
	}
	if err != nil {
		return err
	}
	known, err := f.Store.TaskImages(ctx, triggers.Task)
	if err != nil {
		return err
	}
	images := known[0]
	images.Trigger, images.Paused = countedImages(triggers), triggers.Paused
	f.changed.Store(true)
	return f.Store.PutTaskImages(ctx, images)
}

// countedImages says which base images start runs of a task.
func countedImages(t drydock.TaskTriggers) drydock.BaseImageTriggerType {
	if !t.Enabled || t.BaseImage == nil || !t.BaseImage.Enabled {
		return ""
	}
	return t.BaseImage.Type
}

// triggersChanged takes notice that a registry holds its triggers, or lets them
// go on.
func (f *Follower) triggersChanged(ctx context.Context, registry drydock.ResourceID) error {
	all, err := f.Store.RegistryImages(ctx, registry)
	if err != nil || len(all) == 0 {
		return err
	}
	triggers, err := f.Tasks.Triggers(ctx, all[0].Task)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	f.changed.Store(true)
	return f.Store.PauseTasks(ctx, registry, triggers.Paused)
}
