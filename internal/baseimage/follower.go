package baseimage

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/drydockhq/drydock"
)

// Follower brings events into the index. Its fields are set before Handle.
type Follower struct {
	Store Store
	Tasks Tasks
	Hosts Hosts
	// Changed is told that tasks may have become due, or that what they wait for
	// may have come.
	Changed func()

	// Doubt is told of images of other registries that a run has found to be
	// something else than they are known to be; may be nil.
	Doubt func(images ...drydock.ImageName)

	changed atomic.Bool // by events that may not be stored yet
	doubts  []drydock.ImageName
}

// Handled tells what was changed by events that are stored now; see
// dispatch.Consumer.
func (f *Follower) Handled() {
	if f.changed.Swap(false) {
		f.Changed()
	}
	if len(f.doubts) > 0 && f.Doubt != nil {
		f.Doubt(f.doubts...)
	}
	f.doubts = nil
}

// doubt asks for an image to be looked at.
func (f *Follower) doubt(image drydock.ImageName) { f.doubts = append(f.doubts, image) }

// Handle takes notice of events. It is a dispatch.Handler that makes no runs.
func (f *Follower) Handle(ctx context.Context, events []drydock.Event) ([]drydock.RunRecord, error) {
	superseded := superseded(events)
	for i, e := range events {
		if superseded[i] {
			continue
		}
		if err := f.handle(ctx, e); err != nil {
			return nil, fmt.Errorf("event %d, %s: %w", e.Number, e.Kind, err)
		}
	}
	return nil, nil
}

// superseded finds the pushes of tags that others follow: what a tag points at in
// between makes no difference.
func superseded(events []drydock.Event) map[int]bool {
	later := map[string]bool{}
	found := map[int]bool{}
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		var data struct{ Repository, Tag string }
		if e.Kind != drydock.PushEvent || json.Unmarshal(e.Data, &data) != nil || data.Tag == "" {
			continue
		}
		key := e.Subject.Key() + " " + data.Repository + ":" + data.Tag
		found[i] = later[key]
		later[key] = true
	}
	return found
}

func (f *Follower) handle(ctx context.Context, e drydock.Event) error {
	switch e.Kind {
	case drydock.PushEvent, drydock.UntagEvent, drydock.DeleteEvent:
		var data drydock.RegistryEvent
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		return f.registryChanged(ctx, e, data)
	case drydock.ImageEvent:
		var data drydock.ImageChange
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		image := drydock.ImageName{Registry: drydock.RegistryHost(data.Registry), Repository: data.Repository, Tag: data.Tag}
		return f.imageChanged(ctx, image, data.Digest, e, drydock.ResourceID{})
	case drydock.RunEndedEvent:
		var data drydock.RunEvent
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		return f.runEnded(ctx, e.Subject, data)
	case drydock.TaskChangedEvent:
		return f.taskChanged(ctx, e.Subject, e.Number)
	case drydock.TriggersChangedEvent:
		return f.triggersChanged(ctx, e.Subject)
	}
	return nil
}
