package sourcewatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/trigger"
)

// missedFor is how long a call may be later than a look.
const missedFor = 30 * time.Second

// view is what a look is made with.
type view struct {
	watch   drydock.SourceWatch
	trigger drydock.SourceTrigger
	source  *trigger.Source
	enabled bool // of the task
	token   string
	seen    seen
	hint    hint
}

// look compares a repository with what it was like before, and writes the events
// of what has changed in the transaction that notes what it is like now: each
// change is told once, whatever happens in between. seen.compare has what counts
// as one. What calls have told goes back to be looked for again when the look
// fails, or when the repository doesn't have it yet.
func (w *Watcher) look(ctx context.Context, watch drydock.SourceWatch) (drydock.SourceWatch, error) {
	t, err := w.triggers(ctx, watch.Task)
	if err != nil {
		return watch, err
	}
	s := named(t, watch.Trigger)
	if s == nil { // the event that removes it is on its way
		_, err := w.update(ctx, watch.ID, func(_ context.Context, watch *drydock.SourceWatch) error {
			watch.Due = w.after(w.Poll)
			return nil
		})
		return watch, errors.Join(errGone, err)
	}
	if t.Paused && watch.State != drydock.WatchNew {
		return w.update(ctx, watch.ID, func(_ context.Context, watch *drydock.SourceWatch) error {
			watch.Due = w.after(rarely * w.Poll) // or when the triggers go on
			return nil
		})
	}
	v := view{watch: watch, trigger: *s, enabled: t.Enabled, seen: readSeen(watch.Seen)}
	if v.source, err = trigger.NewSource(*s); err != nil {
		return watch, err
	}
	known, err := w.open(watch)
	if err != nil {
		return watch, err
	}
	v.token, v.hint = known.Token, w.took(watch.ID)
	looked, err := w.compare(ctx, v)
	if err != nil && len(v.hint.changes) > 0 {
		w.give(watch.ID, v.hint)
	}
	return looked, err
}

func (w *Watcher) compare(ctx context.Context, v view) (drydock.SourceWatch, error) {
	f, provider, err := w.find(ctx, v)
	if err != nil {
		return v.watch, err
	}
	changes, now := v.seen.compare(f, v.source)
	for i := range changes {
		w.complete(ctx, v, provider, &changes[i])
	}
	late := v.late(f, changes)
	w.Log.DebugContext(ctx, "looked at a repository", "task", v.watch.Task.String(), "trigger", v.watch.Trigger,
		"calls", len(v.hint.changes), "changes", len(changes), "again", late)
	watch, err := w.update(ctx, v.watch.ID, func(ctx context.Context, watch *drydock.SourceWatch) error {
		w.noteLook(v, watch, len(changes) > 0, late)
		var err error
		if watch.Seen, err = now.text(); err != nil || !v.enabled {
			return err
		}
		return w.write(ctx, watch, changes)
	})
	if err == nil && late {
		v.hint.tries++
		v.hint.at = w.Now()
		w.give(watch.ID, v.hint)
	}
	if err == nil {
		w.warn(ctx, watch, watch.Problem)
	}
	return watch, err
}

// find looks at the repository: at all of it, or, after a call about a pull
// request, at that one. Who just heard of a change wants no older answer.
func (w *Watcher) find(ctx context.Context, v view) (found, githost.Kind, error) {
	f, provider := found{hints: v.hint.changes}, githost.Kind(v.watch.Provider)
	if v.watch.Commit || v.source.Pattern() == "" {
		since := w.Now()
		switch {
		case len(v.hint.changes) > 0:
			since = v.hint.at
		case v.watch.State != drydock.WatchNew:
			since = since.Add(-w.Poll / 2)
		}
		r, err := w.refs(ctx, v.watch.Repository, v.token, v.source.Refs(), since)
		if err != nil {
			return f, provider, err
		}
		f.refs = &r
	}
	if !v.watch.Pull {
		return f, provider, nil
	}
	if provider == "" {
		var err error
		if provider, err = githost.Detect(ctx, v.watch.Repository, v.token, w.Hosts); err != nil {
			return f, provider, err
		}
	}
	if provider == githost.Plain {
		return f, provider, nil // which hook says
	}
	host, err := githost.New(provider, v.watch.Repository, v.token, w.Hosts)
	if err != nil {
		return f, provider, err
	}
	return f, provider, f.findPulls(ctx, v, host)
}

func (f *found) findPulls(ctx context.Context, v view, host githost.Host) (err error) {
	if f.allPulls = len(v.hint.changes) == 0 || v.seen.Pulls == nil; f.allPulls {
		f.pulls, err = host.Pulls(ctx)
		return err
	}
	asked := map[string]bool{}
	for _, h := range v.hint.changes {
		if h.Pull == "" || asked[h.Pull] {
			continue
		}
		asked[h.Pull] = true
		p, err := host.Pull(ctx, h.Pull)
		if drydock.CodeOf(err) == drydock.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		f.pulls = append(f.pulls, p)
	}
	return nil
}

// noteLook notes a look that went well; the package's documentation has what
// follows from it.
func (w *Watcher) noteLook(v view, watch *drydock.SourceWatch, changed, late bool) {
	now := w.Now()
	watch.Failures, watch.Failure, watch.Looked = 0, "", now
	switch {
	case watch.State != drydock.WatchWebhook || len(v.hint.changes) > 0:
	case changed && watch.Missed.IsZero():
		// The call may be about to come.
		watch.Missed = now
	case !watch.Missed.IsZero() && now.Sub(watch.Missed) > missedFor && watch.Problem == "":
		watch.Problem = "There is a webhook, but the git host has not called it when the repository changed, which is polled too: " +
			"is the URL of the webhook reachable from the git host, and does the host allow webhooks to it?"
	}
	if late {
		watch.Due = now.Add(hintTry)
	} else if watch.Due.Equal(v.watch.Due) { // else somebody wants another look
		watch.Due = w.after(w.interval(*watch))
	}
}

// write writes the events of changes.
func (w *Watcher) write(ctx context.Context, watch *drydock.SourceWatch, changes []drydock.SourceChange) error {
	for _, c := range changes {
		kind := drydock.CommitEvent
		if c.Pull != "" {
			kind = drydock.PullRequestEvent
		}
		data, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("writing the event of a commit: %w", err)
		}
		watch.Changes++
		_, err = w.Store.AppendEvent(ctx, drydock.Event{
			ID: fmt.Sprintf("source %s %d", watch.ID, watch.Changes), Kind: kind, Subject: watch.Task, Data: data, Time: w.Now(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
