package sourcewatch

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/hook"
	"github.com/drydockhq/drydock/internal/trigger"
)

// heardEvery is how often it is noted that a git host calls, when its calls are
// about nothing that counts.
const heardEvery = time.Hour

// Receive answers a call of a webhook: POST to a path with the id of a watch as
// its value "id".
func (w *Watcher) Receive(rw http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	watch, err := w.Store.SourceWatch(ctx, r.PathValue("id"))
	if drydock.CodeOf(err) == drydock.NotFound || err == nil && watch.State == drydock.WatchRemoving {
		http.Error(rw, "there is no such webhook", http.StatusNotFound)
		return
	}
	log := w.Log.With("task", watch.Task.String(), "trigger", watch.Trigger, "remote", r.RemoteAddr)
	body, status := hook.ReadBody(rw, r)
	if status != 0 {
		log.WarnContext(ctx, "a call of a webhook is too large or breaks off, and is refused", "status", status)
		http.Error(rw, http.StatusText(status), status)
		return
	}
	if err == nil {
		err = w.received(ctx, watch, r.Header, body)
	}
	switch code := drydock.CodeOf(err); {
	case err == nil:
		rw.WriteHeader(http.StatusAccepted)
	case code == drydock.Denied:
		log.WarnContext(ctx, "a call of a webhook is refused", "error", err)
		http.Error(rw, err.Error(), http.StatusUnauthorized)
	case code == drydock.Invalid:
		http.Error(rw, err.Error(), http.StatusBadRequest)
	default:
		log.ErrorContext(ctx, "taking a call of a webhook", "error", err)
		http.Error(rw, "try again later", http.StatusServiceUnavailable)
	}
}

// received takes a call.
func (w *Watcher) received(ctx context.Context, watch drydock.SourceWatch, header http.Header, body []byte) error {
	s, err := w.open(watch)
	if err != nil {
		return err
	}
	d, err := githost.Receive(githost.Kind(watch.Provider), s.Hook, header, body)
	if err != nil {
		return err
	}
	return w.heard(ctx, watch, d)
}

// heard notes that a git host has called, and lets the repository be looked at
// if the call is about what counts.
func (w *Watcher) heard(ctx context.Context, watch drydock.SourceWatch, d githost.Delivery) error {
	changes, err := w.counting(ctx, watch, d)
	if err != nil {
		return err
	}
	w.Log.DebugContext(ctx, "a git host has called", "task", watch.Task.String(), "trigger", watch.Trigger,
		"delivery", d.ID, "changes", len(d.Changes), "counting", len(changes))
	if len(changes) == 0 && w.Now().Sub(watch.Delivered) < heardEvery && watch.Missed.IsZero() {
		return nil
	}
	if len(changes) > 0 {
		w.give(watch.ID, hint{changes: changes, at: w.Now()})
	}
	_, err = w.update(ctx, watch.ID, func(_ context.Context, watch *drydock.SourceWatch) error {
		watch.Delivered, watch.Missed = w.Now(), time.Time{}
		if watch.State == drydock.WatchWebhook {
			watch.Problem = ""
		}
		// Not before the host wants it, if looks fail.
		if len(changes) > 0 && watch.Failures == 0 {
			watch.Due = w.Now().Add(-sooner)
		}
		return nil
	})
	if errors.Is(err, errGone) {
		return nil
	}
	w.Wake()
	return err
}

// counting returns the changes of a delivery that the trigger of a watch counts,
// as far as that can be said without looking.
func (w *Watcher) counting(ctx context.Context, watch drydock.SourceWatch, d githost.Delivery) ([]drydock.SourceChange, error) {
	t, err := w.triggers(ctx, watch.Task)
	if err != nil {
		return nil, err
	}
	s := named(t, watch.Trigger)
	if s == nil {
		return nil, nil
	}
	source, err := trigger.NewSource(*s)
	if err != nil {
		return nil, err
	}
	known := readSeen(watch.Seen)
	var changes []drydock.SourceChange
	for _, c := range d.Changes {
		byDefault := known.Default == "" || c.Ref == known.Default
		if source.Matches(c.Ref, byDefault) && (c.Pull == "" && s.Commit || c.Pull != "" && s.Pull) {
			changes = append(changes, c)
		}
	}
	return changes, nil
}
