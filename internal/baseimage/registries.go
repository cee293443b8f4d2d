package baseimage

import (
	"context"

	"github.com/drydockhq/drydock"
)

// registryChanged takes notice of a change of one of this server's registries.
func (f *Follower) registryChanged(ctx context.Context, e drydock.Event, data drydock.RegistryEvent) error {
	host := f.Hosts.Host(e.Subject)
	image := drydock.ImageName{Registry: host, Repository: data.Repository, Tag: data.Tag}
	switch {
	case e.Kind == drydock.DeleteEvent:
		return f.manifestDeleted(ctx, e, host, data)
	case data.Tag == "": // a push by digest moves no tag
		return nil
	case e.Kind == drydock.UntagEvent:
		return f.imageChanged(ctx, image, "", e, drydock.ResourceID{})
	}
	var run drydock.ResourceID
	if data.Run != "" {
		var err error
		if run, err = drydock.ParseResourceID(data.Run); err != nil {
			return err
		}
	}
	return f.imageChanged(ctx, image, data.Digest, e, run)
}

// manifestDeleted takes notice that a manifest is gone with all its tags.
func (f *Follower) manifestDeleted(ctx context.Context, e drydock.Event, host string, data drydock.RegistryEvent) error {
	images, err := f.Store.ImagesWithDigest(ctx, host, data.Repository, data.Digest)
	if err != nil {
		return err
	}
	for _, image := range images {
		if err := f.imageChanged(ctx, image, "", e, drydock.ResourceID{}); err != nil {
			return err
		}
	}
	return nil
}

// tagDigest returns what a tag of one of this server's registries points at, ""
// when there is none.
func tagDigest(ctx context.Context, tags Tags, registry drydock.ResourceID, image drydock.ImageName) (string, error) {
	found, err := tags.Tags(ctx, drydock.TagFilter{Registry: registry, Repository: image.Repository, Name: image.Tag, Hidden: true})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].Digest, nil
}

// imageChanged says what a tag points at since an event. What was found out later
// than that, when the tag came to be watched, stays.
func (f *Follower) imageChanged(ctx context.Context, image drydock.ImageName, digest string, e drydock.Event, run drydock.ResourceID) error {
	known, err := f.Store.ImageStates(ctx, image)
	if err != nil {
		return err
	}
	before, there := known[image]
	if there && (before.Digest == digest || e.Number <= before.Event) {
		return nil
	}
	state := drydock.ImageState{
		Image: image, Digest: digest, Previous: before.Digest, Event: e.Number, Changed: e.Time, Root: e.Number, Run: run,
	}
	if state.Previous == "" {
		state.Previous = before.Previous
	}
	var pusher drydock.RunRecord
	if run.Subscription != "" {
		pusher, err = f.Store.Run(ctx, run.Parent(), run.Name())
		switch {
		case err == nil:
			state.Root = pusher.Root
		case drydock.CodeOf(err) != drydock.NotFound:
			return err
		}
	}
	watched, err := f.Store.PutImageState(ctx, state)
	if err != nil || !watched {
		return err
	}
	f.changed.Store(true)
	if pusher.Task == "" {
		return nil
	}
	err = f.Store.AddOutput(ctx, pusher.Registry.Child("tasks", pusher.Task), image)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // the task is gone
	}
	return err
}
