package baseimage

import (
	"context"
	"fmt"
	"slices"

	"github.com/drydockhq/drydock"
)

// Viewer shows people what is known.
type Viewer struct{ Store Store }

var _ drydock.TaskImagesViewer = Viewer{}

// ViewTaskImages implements drydock.TaskImagesViewer.
func (v Viewer) ViewTaskImages(ctx context.Context, registry drydock.ResourceID) ([]drydock.TaskImagesView, error) {
	known, err := v.Store.RegistryImages(ctx, registry)
	if err != nil {
		return nil, err
	}
	var images []drydock.ImageName
	for _, t := range known {
		for _, b := range t.Bases {
			images = append(images, b.Image)
		}
	}
	states, err := v.Store.ImageStates(ctx, images...)
	if err != nil {
		return nil, err
	}
	producers, err := v.Store.Producers(ctx, images...)
	if err != nil {
		return nil, err
	}
	waits, err := v.waits(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]drydock.TaskImagesView, len(known))
	for i, t := range known {
		views[i] = drydock.TaskImagesView{Task: t.Task, Known: t, Waiting: waits[t.Task.Key()]}
		if views[i].Failed, err = v.failed(ctx, t, states); err != nil {
			return nil, err
		}
		for _, b := range t.Bases {
			base := viewBase(t, b, states[b.Image])
			if views[i].Failed.ID != "" && behind(b, base.Now) {
				base.Stands, base.Stale = b.Built, true
			}
			base.Producers = producers[b.Image]
			views[i].Bases = append(views[i].Bases, base)
			views[i].Due = views[i].Due || base.Due
		}
	}
	return views, nil
}

// failed returns the newest run of a task if it did not succeed, so that what the
// task has pushed stands on bases that have changed.
func (v Viewer) failed(ctx context.Context, t drydock.TaskImages, states map[drydock.ImageName]drydock.ImageState) (drydock.RunRecord, error) {
	if !slices.ContainsFunc(t.Bases, func(b drydock.BaseImage) bool { return behind(b, states[b.Image]) }) {
		return drydock.RunRecord{}, nil
	}
	filter := drydock.RunFilter{Registry: t.Task.Parent(), Tasks: []string{t.Task.Name()}, Limit: 20, Brief: true}
	for {
		found, err := v.Store.Runs(ctx, filter)
		for _, r := range found {
			switch {
			case r.Altered:
				continue
			case r.Status.Ended() && r.Status != drydock.RunSucceeded:
				return r, nil
			}
			return drydock.RunRecord{}, nil
		}
		if err != nil || len(found) < filter.Limit {
			return drydock.RunRecord{}, err
		}
		filter.OlderThan = found[len(found)-1].Number
	}
}

// behind reports whether a tag has changed since the last run that succeeded.
func behind(b drydock.BaseImage, now drydock.ImageState) bool {
	return !b.Image.Pinned() && b.Built != "" && now.Digest != "" && now.Digest != b.Built
}

func viewBase(t drydock.TaskImages, b drydock.BaseImage, now drydock.ImageState) drydock.BaseImageView {
	v := drydock.BaseImageView{BaseImage: b, Now: now, Stands: b.Digest}
	v.Stale = !b.Image.Pinned() && b.Since > 0
	v.Due = v.Stale && t.Counts(b)
	switch {
	case b.Image.Pinned():
		v.Note = "it is pinned to a digest: no push changes what it means"
	case t.Trigger == "":
		v.Note = "the task or its base image trigger is disabled"
	case t.Paused:
		v.Note = "the triggers of the registry are paused"
	case t.Reading:
		v.Note = "the task was changed, and what it is built from is being read"
	case !t.Counts(b):
		v.Note = "only the base of the final stage counts for a trigger of type Runtime"
	}
	return v
}

// waits says what the tasks that are due wait for, by their keys.
func (v Viewer) waits(ctx context.Context) (map[string][]drydock.ImageWait, error) {
	s, err := look(ctx, v.Store)
	if err != nil {
		return nil, err
	}
	waits := map[string][]drydock.ImageWait{}
	for _, d := range s.decide() {
		key := d.Task.Task.Key()
		for _, id := range d.For {
			why := fmt.Sprintf("task %s, which it builds on, is rebuilt first", id.Name())
			if id.Key() == key {
				why = "its run goes on"
			}
			waits[key] = append(waits[key], drydock.ImageWait{Task: id, Why: why})
		}
	}
	return waits, nil
}
