package baseimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/drydockhq/drydock"
)

// taskChanged takes notice that a task was created, changed or deleted.
func (f *Follower) taskChanged(ctx context.Context, task drydock.ResourceID, event int64) error {
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
	definition, err := definitionOf(ctx, f.Tasks, triggers.Task)
	if err != nil {
		return err
	}
	if definition != "" && (definition != images.ReadFor || images.Problem != "") {
		images.Reading = true
		if images.Outdated, err = f.lastRunBefore(ctx, triggers.Task, event); err != nil {
			return err
		}
		// Their ends have nothing to tell. Those of a task of the same name that was
		// deleted won't be told of again.
		images.Ended = max(images.Ended, images.Outdated)
	}
	f.changed.Store(true)
	return f.Store.PutTaskImages(ctx, images)
}

// definitionOf returns a text that differs for what tasks are built from in
// different ways. It is empty for a task that can't be run: it is read when that
// changes.
func definitionOf(ctx context.Context, tasks Tasks, task drydock.ResourceID) (string, error) {
	records, refused, err := tasks.TaskRuns(ctx, []drydock.ResourceID{task})
	if err != nil {
		return "", err
	}
	if refused[0] != nil {
		if transient(refused[0]) {
			return "", refused[0]
		}
		return "", nil
	}
	sum := sha256.Sum256(records[0].Request)
	return hex.EncodeToString(sum[:]), nil
}

// lastRunBefore returns the number of the newest run of a task that was stored
// before an event; 0 for none.
func (f *Follower) lastRunBefore(ctx context.Context, task drydock.ResourceID, event int64) (int64, error) {
	filter := drydock.RunFilter{Registry: task.Parent(), Tasks: []string{task.Name()}, Limit: 20, Brief: true}
	for {
		found, err := f.Store.Runs(ctx, filter)
		if err != nil || len(found) == 0 {
			return 0, err
		}
		for _, r := range found {
			if r.After < event {
				return r.Number, nil
			}
		}
		filter.OlderThan = found[len(found)-1].Number
	}
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
