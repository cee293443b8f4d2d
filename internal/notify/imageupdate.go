package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// ImageUpdateAction is the action of messages to the endpoints of tasks.
const ImageUpdateAction = "image_update"

// Updates tells the endpoints of tasks that a base image has changed. Its fields
// are set before it is used.
type Updates struct {
	Runs        drydock.RunStore
	Outbox      *Outbox
	LoginServer func(registry drydock.ResourceID) string
	Log         *slog.Logger
}

// imageUpdate is what an endpoint is told. One that wants the token alone gets no
// other field.
type imageUpdate struct {
	ID        string                    `json:"id,omitempty"`
	Timestamp string                    `json:"timestamp,omitempty"`
	Action    string                    `json:"action,omitempty"`
	Registry  string                    `json:"registry,omitempty"` // login server
	TaskID    string                    `json:"taskId,omitempty"`
	Task      string                    `json:"taskName,omitempty"`
	Run       string                    `json:"runId,omitempty"`
	Images    []drydock.ImageDescriptor `json:"images,omitempty"`
	Token     string                    `json:"updateTriggerToken"`
}

// Tell stores the messages of runs that base images have started, or of which a
// change has become a cause too. It joins the transaction of its context. What is
// wrong with one message keeps no run from being made; an error is one of the
// store's.
func (u *Updates) Tell(ctx context.Context, runs ...drydock.RunRecord) error {
	for _, r := range runs {
		if !bytes.Contains(r.Request, []byte(`"TellUpdates"`)) {
			continue // for nearly all, and there may be thousands
		}
		err := u.tell(ctx, r)
		if drydock.CodeOf(err) == drydock.Unavailable || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err != nil {
			u.Log.ErrorContext(ctx, "the endpoint of a task is not told of a base image", "registry", r.Registry.Name(), "task", r.Task, "run", r.ID, "error", err)
		}
	}
	return nil
}

func (u *Updates) tell(ctx context.Context, r drydock.RunRecord) error {
	var request drydock.RunRequest
	if err := json.Unmarshal(r.Request, &request); err != nil {
		return fmt.Errorf("reading the request of a run: %w", err)
	}
	trigger, err := drydock.ParseRunTrigger(r.Trigger)
	if err != nil {
		return fmt.Errorf("reading the trigger of a run: %w", err)
	}
	images := imagesOf(trigger)
	if r.Task == "" || request.TellUpdates == "" || len(images) == 0 {
		return nil
	}
	task := r.Registry.Child("tasks", r.Task)
	m := imageUpdate{Token: request.UpdateTriggerToken}
	if m.Token == "" {
		if m.Token, err = u.token(ctx, r.Registry, r.Task); err != nil {
			return err
		}
	}
	id := messageID(task, r.ID, images)
	if request.TellUpdates != "Token" {
		m.ID, m.Timestamp, m.Action = id, stamp(u.Outbox.Now()), ImageUpdateAction
		m.Registry, m.TaskID, m.Task, m.Run, m.Images = u.LoginServer(r.Registry), task.String(), r.Task, r.ID, images
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	err = u.Outbox.Send(ctx, drydock.Delivery{ID: id, Owner: task, Action: ImageUpdateAction, Body: body})
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // the task is gone
	}
	return err
}

// imagesOf returns the images that a run is made for. A run that somebody asked
// for, or a commit, has them in its cause if it had not started when they
// changed.
func imagesOf(t drydock.RunTrigger) []drydock.ImageDescriptor {
	if t.Image != nil {
		return t.Image.Images
	}
	if t.Cause == nil {
		return nil
	}
	var all []drydock.ImageDescriptor
	for _, c := range t.Cause.Image {
		if n, err := drydock.ParseImageName(c.Image); err == nil {
			ref := n.Reference()
			all = append(all, drydock.ImageDescriptor{Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag, Digest: c.Digest})
		}
	}
	return all
}

// messageID names the message of a run about images: another one when another
// image is added to its causes.
func messageID(task drydock.ResourceID, run string, images []drydock.ImageDescriptor) string {
	text := task.Key() + "\n" + run
	for _, i := range images {
		text += "\n" + i.Registry + "/" + i.Repository + ":" + i.Tag + "@" + i.Digest
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(text)).String()
}

// looksFor is how many of the newest runs that people asked for are looked
// through for a token.
const looksFor = 100

// token returns the token that the newest run of a task was asked for with; ""
// if none was.
func (u *Updates) token(ctx context.Context, registry drydock.ResourceID, task string) (string, error) {
	runs, err := u.Runs.Runs(ctx, drydock.RunFilter{
		Registry: registry, Tasks: []string{task}, Types: []drydock.RunType{drydock.QuickRun, drydock.QuickBuild}, Limit: looksFor,
	})
	if err != nil {
		return "", err
	}
	for _, r := range runs {
		var request drydock.RunRequest
		if json.Unmarshal(r.Request, &request) == nil && request.UpdateTriggerToken != "" {
			return request.UpdateTriggerToken, nil
		}
	}
	return "", nil
}

// Changed reports whether images were added to the causes of a run.
func (u *Updates) Changed(before, after drydock.RunRecord) bool {
	if bytes.Equal(before.Trigger, after.Trigger) {
		return false
	}
	old, err := drydock.ParseRunTrigger(before.Trigger)
	now, err2 := drydock.ParseRunTrigger(after.Trigger)
	return err == nil && err2 == nil && !slices.Equal(imagesOf(old), imagesOf(now))
}
