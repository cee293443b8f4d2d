package baseimage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drydockhq/drydock"
)

// causeOf returns the cause of a run; zero for a run that somebody asked for.
func causeOf(r drydock.RunRecord) drydock.RunCause {
	t, err := drydock.ParseRunTrigger(r.Trigger)
	if err != nil || t.Cause == nil {
		return drydock.RunCause{}
	}
	return *t.Cause
}

// newTrigger returns the trigger of a run that is started because of a decision.
func newTrigger(d decision, id string) ([]byte, error) {
	cause := newCause(d)
	update := &drydock.ImageUpdateTrigger{ID: id, Timestamp: cause.Time.UTC().Format(time.RFC3339Nano)}
	for _, i := range d.Task.Images {
		update.Images = append(update.Images, descriptor(i))
	}
	return json.Marshal(drydock.RunTrigger{Image: update, Cause: &cause})
}

// addCause adds a decision's images to the trigger of a run that is queued. It
// stays a run of the sort that it is.
func addCause(old []byte, d decision) ([]byte, error) {
	whole, t, err := openTrigger(old)
	if err != nil {
		return nil, err
	}
	more := newCause(d)
	if t.Cause == nil {
		t.Cause = &drydock.RunCause{Time: more.Time, By: more.By, Event: more.Event}
	}
	for _, image := range more.Image {
		t.Cause.Image = putImage(t.Cause.Image, image)
	}
	for _, note := range more.Notes {
		if !slices.Contains(t.Cause.Notes, note) {
			t.Cause.Notes = append(t.Cause.Notes, note)
		}
	}
	if whole["cause"], err = json.Marshal(t.Cause); err != nil {
		return nil, err
	}
	if t.Image != nil {
		for _, i := range d.Task.Images {
			t.Image.Images = putDescriptor(t.Image.Images, descriptor(i))
		}
		if whole["imageUpdateTrigger"], err = json.Marshal(t.Image); err != nil {
			return nil, err
		}
	}
	return json.Marshal(whole)
}

// addNote adds a note to the cause of a run that was created at a time, once.
func addNote(old []byte, created time.Time, note string) ([]byte, error) {
	whole, t, err := openTrigger(old)
	if err != nil {
		return nil, err
	}
	if t.Cause == nil {
		t.Cause = &drydock.RunCause{Time: created}
	}
	if slices.Contains(t.Cause.Notes, note) {
		return old, nil
	}
	t.Cause.Notes = append(t.Cause.Notes, note)
	if whole["cause"], err = json.Marshal(t.Cause); err != nil {
		return nil, err
	}
	return json.Marshal(whole)
}

// openTrigger reads a trigger, whole and what of it is known here.
func openTrigger(text []byte) (map[string]json.RawMessage, drydock.RunTrigger, error) {
	whole := map[string]json.RawMessage{}
	var t drydock.RunTrigger
	if len(text) == 0 {
		return whole, t, nil
	}
	err := errors.Join(json.Unmarshal(text, &whole), json.Unmarshal(text, &t))
	if err != nil {
		err = fmt.Errorf("reading a trigger: %w", err)
	}
	return whole, t, err
}

// putImage adds an image to a cause. One that changed again keeps the digest
// that it had before both changes.
func putImage(images []drydock.CauseImage, image drydock.CauseImage) []drydock.CauseImage {
	i := slices.IndexFunc(images, func(c drydock.CauseImage) bool { return c.Image == image.Image })
	if i < 0 {
		return append(images, image)
	}
	image.Previous = images[i].Previous
	images[i] = image
	return images
}

func putDescriptor(images []drydock.ImageDescriptor, d drydock.ImageDescriptor) []drydock.ImageDescriptor {
	i := slices.IndexFunc(images, func(e drydock.ImageDescriptor) bool {
		return e.Registry == d.Registry && e.Repository == d.Repository && e.Tag == d.Tag
	})
	if i < 0 {
		return append(images, d)
	}
	images[i] = d
	return images
}

func descriptor(i drydock.DueImage) drydock.ImageDescriptor {
	ref := i.Now.Image.Reference()
	return drydock.ImageDescriptor{Type: i.Base.Kind, Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag, Digest: i.Now.Digest}
}

func newCause(d decision) drydock.RunCause {
	first := d.Task.Images[0]
	for _, i := range d.Task.Images {
		if i.Base.Since < first.Base.Since {
			first = i
		}
	}
	cause := drydock.RunCause{Event: first.Now.Event, Time: first.Now.Changed, By: pusher(first.Now)}
	for at, i := range d.Task.Images {
		image := drydock.CauseImage{Image: i.Now.Image.String(), Previous: i.Base.Digest, Digest: i.Now.Digest}
		if i.Now.Run.Subscription != "" {
			image.Run = i.Now.Run.String()
		}
		if d.Platforms != nil {
			image.Platforms = d.Platforms[at]
		}
		cause.Image = append(cause.Image, image)
	}
	for _, r := range d.Failed {
		cause.Notes = append(cause.Notes, fmt.Sprintf(
			"task %s, which this one builds on, was to be rebuilt first, but its run %s ended as %s: this run stands on the image before",
			r.Task, r.ID, r.Status))
	}
	return cause
}

// pusher says in words who pushed an image.
func pusher(s drydock.ImageState) string {
	if s.Run.Subscription != "" {
		return fmt.Sprintf("run %s in registry %s pushed %s", s.Run.Name(), s.Run.Parent().Name(), s.Image.Familiar())
	}
	return fmt.Sprintf("%s points at another image", s.Image.Familiar())
}
