package sourcewatch

import (
	"context"
	"errors"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/pause"
)

// errGone ends the work on a watch that is there no more, or is to be removed.
var errGone = errors.New("the watch is gone")

// attend does what is due for a watch.
func (w *Watcher) attend(ctx context.Context, id string) {
	running := ctx
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	watch, err := w.Store.SourceWatch(ctx, id)
	if drydock.CodeOf(err) == drydock.NotFound {
		return
	}
	if err == nil {
		switch watch.State {
		case drydock.WatchRemoving:
			err = w.remove(ctx, watch)
		case drydock.WatchNew:
			err = w.arm(ctx, watch)
		default:
			err = w.lookAgain(ctx, watch)
		}
	}
	if err == nil || errors.Is(err, errGone) || ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return
	}
	w.failed(running, watch, err)
}

// update changes a watch as it is now, together with what else change writes. One
// that is to be removed is left alone, with errGone.
func (w *Watcher) update(ctx context.Context, id string, change func(ctx context.Context, watch *drydock.SourceWatch) error) (drydock.SourceWatch, error) {
	var watch drydock.SourceWatch
	err := w.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if watch, err = w.Store.SourceWatch(ctx, id); err != nil {
			return err
		}
		if watch.State == drydock.WatchRemoving {
			return errGone
		}
		if err := change(ctx, &watch); err != nil {
			return err
		}
		watch, err = w.Store.PutSourceWatch(ctx, watch)
		return err
	})
	if drydock.CodeOf(err) == drydock.NotFound {
		err = errGone
	}
	return watch, err
}

// failed notes that a look went wrong: there will be another one, later each
// time, and not before the host wants one.
func (w *Watcher) failed(ctx context.Context, watch drydock.SourceWatch, cause error) {
	text := shown(cause)
	noted, err := w.update(context.WithoutCancel(ctx), watch.ID, func(_ context.Context, watch *drydock.SourceWatch) error {
		watch.Failures++
		watch.Failure = text
		watch.Due = w.after(pause.Growing(watch.Failures, w.Poll, max(longest, w.Poll), 0))
		if until, ok := githost.RetryAfter(cause); ok && until.After(watch.Due) {
			watch.Due = until
		}
		return nil
	})
	switch {
	case errors.Is(err, errGone) && watch.State != drydock.WatchRemoving: // meanwhile, with its task
	case err != nil:
		w.Log.ErrorContext(ctx, "watching a repository", "trigger", watch.Trigger, "error", errors.Join(cause, err))
		rest(ctx, time.Second) // it is due still
	case noted.Failures == 1:
		w.Log.WarnContext(ctx, "looking at a repository, trying again", "task", watch.Task.String(), "trigger", watch.Trigger,
			"repository", watch.Repository, "error", cause)
	}
}

// rest waits, but not longer than for the end of ctx.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// shown is how much of an error people are shown.
func shown(err error) string {
	runes := []rune(err.Error())
	if len(runes) > 500 {
		return string(runes[:500]) + "…"
	}
	return string(runes)
}

// interval is how long it takes to the next look at a repository.
func (w *Watcher) interval(watch drydock.SourceWatch) time.Duration {
	if watch.State == drydock.WatchWebhook && watch.Missed.IsZero() {
		return rarely * w.Poll
	}
	return w.Poll
}

// lookAgain looks at a repository, and tries to make a webhook if it is time for
// that.
func (w *Watcher) lookAgain(ctx context.Context, watch drydock.SourceWatch) error {
	watch, err := w.look(ctx, watch)
	if err != nil || watch.Rearm.IsZero() || watch.Rearm.After(w.Now()) {
		return err
	}
	return w.hook(ctx, watch)
}

// host returns the API of the git host of a watch.
func (w *Watcher) host(watch drydock.SourceWatch) (githost.Host, error) {
	s, err := w.open(watch)
	if err != nil {
		return nil, err
	}
	return githost.New(githost.Kind(watch.Provider), watch.Repository, s.Token, w.Hosts)
}
