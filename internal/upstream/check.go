package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/pause"
)

// check asks for the digest of an image, stores what came of it, and puts the
// image back into the schedule.
func (w *Watcher) check(ctx context.Context, im *image) {
	answer, err := w.ask(ctx, im)
	if ctx.Err() != nil || w.dropped(im) {
		w.finish(im, im.poll, 0)
		return
	}
	problem := err
	next, delay := w.outcome(im, answer, problem)
	pause := w.settle(im.host, im.checked, answer, problem)
	changed, err := w.record(ctx, &next, pause, problem == nil, answer.Digest)
	if err != nil {
		// Nothing is stored, so nothing is known: it is asked again.
		w.c.Log.ErrorContext(ctx, "storing what is known of an image, trying again", "image", im.String(), "error", err)
		w.finish(im, im.poll, min(delay, 10*time.Second))
		return
	}
	w.tell(ctx, im.poll, next, changed, refusedOwners(answer, problem))
	if im.again && !changed && next.Failures == 0 {
		delay = min(delay, again)
	}
	w.finish(im, next, delay)
}

// ask asks the registry.
func (w *Watcher) ask(ctx context.Context, im *image) (Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.c.Timeout, fmt.Errorf("no answer within %s", w.c.Timeout))
	defer cancel()
	name := im.poll.Image
	creds, err := w.c.Watched.Credentials(ctx, name)
	if err != nil {
		return Answer{}, fmt.Errorf("finding the credentials for %s: %w", name, err)
	}
	answer, err := w.c.Resolver.Resolve(ctx, Query{Image: name, Credentials: creds, Digest: im.poll.Digest, Validator: im.poll.Validator})
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = drydock.Errorf(drydock.Unavailable, "asking for %s: %w", name, context.Cause(ctx))
	}
	return answer, err
}

// outcome returns what is known of an image after a check, except for its
// digest, and how long it is until the next.
func (w *Watcher) outcome(im *image, answer Answer, err error) (drydock.ImagePoll, time.Duration) {
	next, interval := im.poll, w.c.Interval(im.host.name)
	if err == nil {
		next.Checked, next.Failures, next.Problem, next.Validator = w.c.Now(), 0, "", answer.Validator
		if len(answer.Refused) > 0 {
			next.Problem = im.host.name + " refuses a credential of a task that waits for it"
		}
	} else {
		next.Failures, next.Problem = next.Failures+1, brief(err)
	}
	delay := interval.after(next.Failures, w.c.Random())
	if hostTrouble(err) {
		// It is up to the host: the image is not the worse for it.
		delay = min(delay, pause.Growing(next.Failures, firstPause, longestPause, w.c.Random()))
	}
	next.Next = w.c.Now().Add(delay)
	return next, delay
}

// hostTrouble reports whether an error is one of the registry rather than of the
// image.
func hostTrouble(err error) bool {
	var wait *WaitError
	return errors.As(err, &wait) || drydock.CodeOf(err) == drydock.Unavailable
}

// maxProblem is how long the words for a problem may be.
const maxProblem = 500

// brief returns an error's text, which may hold what a registry answered.
func brief(err error) string {
	text := []rune(err.Error())
	if len(text) > maxProblem {
		text = append(text[:maxProblem], '…')
	}
	return string(text)
}

// record stores what is known of an image, and the event if its digest is not the
// known one: both or none of them. It reports whether there was a change.
func (w *Watcher) record(ctx context.Context, next *drydock.ImagePoll, pause *drydock.RegistryPause, answered bool, digest string) (changed bool, err error) {
	err = w.c.Store.Atomically(ctx, func(ctx context.Context) error {
		stored, err := w.c.Store.ImagePoll(ctx, next.Image)
		if err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return err
		}
		// Another server may have seen the change first.
		next.Digest, next.Changed = stored.Digest, stored.Changed
		if changed = answered && digest != stored.Digest; changed {
			next.Digest, next.Changed = digest, next.Checked
			if err := w.appendChange(ctx, *next, stored.Digest); err != nil {
				return err
			}
		}
		if pause != nil {
			if err := w.c.Store.PutRegistryPause(ctx, *pause); err != nil {
				return err
			}
		}
		return w.c.Store.PutImagePoll(ctx, *next)
	})
	return changed && err == nil, err
}

// appendChange writes the event of a change. The digest that is stored with it
// keeps it from being written twice.
func (w *Watcher) appendChange(ctx context.Context, p drydock.ImagePoll, previous string) error {
	data, err := json.Marshal(drydock.ImageChange{
		Registry: p.Image.Registry, Repository: p.Image.Repository, Tag: p.Image.Tag, Digest: p.Digest, Previous: previous,
	})
	if err != nil {
		return fmt.Errorf("writing the change of %s: %w", p.Image, err)
	}
	_, err = w.c.Store.AppendEvent(ctx, drydock.Event{ID: w.c.NewID(), Kind: drydock.ImageEvent, Data: data, Time: p.Changed})
	return err
}

// refusedOwners returns whose credentials a registry has not accepted.
func refusedOwners(answer Answer, err error) []string {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused.Refused
	}
	return answer.Refused
}

// tell logs what a check has brought.
func (w *Watcher) tell(ctx context.Context, before, after drydock.ImagePoll, changed bool, refused []string) {
	log := w.c.Log.With("image", after.Image.String())
	if changed {
		text := "an image of another registry has changed"
		switch {
		case after.Digest == "":
			text = "an image of another registry is gone"
		case before.Changed.IsZero():
			text = "an image of another registry is watched"
		}
		log.InfoContext(ctx, text, "digest", after.Digest, "previous", before.Digest)
	}
	switch {
	case after.Problem != "" && after.Problem != before.Problem:
		log.WarnContext(ctx, "looking at an image of another registry", "problem", after.Problem, "failures", after.Failures, "refused", refused)
	case after.Problem == "" && before.Problem != "":
		log.InfoContext(ctx, "an image of another registry can be read again", "digest", after.Digest)
	}
}

// dropped reports whether nobody watches an image any more.
func (w *Watcher) dropped(im *image) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return im.gone
}

// finish puts an image back into the schedule, delay from now.
func (w *Watcher) finish(im *image, poll drydock.ImagePoll, delay time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	im.host.running--
	w.running--
	im.poll = poll
	if !im.gone {
		im.at = w.elapsed() + delay
		if im.asked {
			im.at = min(im.at, im.checked+checkGap)
		}
		w.schedule.put(&im.entry)
	}
	w.offer(im.host)
	signal(w.wake)
}
