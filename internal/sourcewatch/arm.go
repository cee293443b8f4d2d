package sourcewatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// When to try again to make a webhook: when the host was away, and when it did
// not let us, which somebody may have mended there.
const (
	rearmSoon  = 5 * time.Minute
	rearmLater = 24 * time.Hour
)

// arm sees what a repository is like, so that everything from now on is a change,
// and then makes the webhook.
func (w *Watcher) arm(ctx context.Context, watch drydock.SourceWatch) error {
	watch, err := w.look(ctx, watch)
	if err != nil {
		return err
	}
	return w.hook(ctx, watch)
}

// hook makes a webhook, or says why there is none: then the server looks at the
// repository by itself.
func (w *Watcher) hook(ctx context.Context, watch drydock.SourceWatch) error {
	id, kind, err := w.makeHook(ctx, watch)
	problem, rearm := "", time.Time{}
	if err != nil {
		problem = "There is no webhook, and the repository is polled instead: " + shown(err)
		rearm = w.Now().Add(rearmLater)
		if drydock.CodeOf(err) == drydock.Unavailable {
			rearm = w.Now().Add(rearmSoon)
			if until, ok := githost.RetryAfter(err); ok {
				rearm = until
			}
		}
		var never *unhookable
		if errors.As(err, &never) {
			rearm = time.Time{}
		}
	}
	watch, err = w.update(ctx, watch.ID, func(_ context.Context, watch *drydock.SourceWatch) error {
		watch.State, watch.Problem, watch.Rearm = drydock.WatchPolling, problem, rearm
		if kind != "" {
			watch.Provider = string(kind)
		}
		if id != "" {
			watch.State, watch.Hook, watch.Problem = drydock.WatchWebhook, id, ""
		}
		if due := w.after(w.interval(*watch)); watch.Due.After(w.Now()) && watch.Failures == 0 {
			watch.Due = due
		}
		return nil
	})
	if errors.Is(err, errGone) && id != "" {
		return w.noteHook(ctx, watch.ID, id, kind)
	}
	if err != nil {
		return err
	}
	w.warn(ctx, watch, watch.Problem)
	if id != "" {
		w.Log.InfoContext(ctx, "made a webhook", "task", watch.Task.String(), "trigger", watch.Trigger,
			"repository", watch.Repository, "provider", watch.Provider)
	}
	return nil
}

// noteHook notes a webhook that was made while its task was deleted, so that it
// is removed.
func (w *Watcher) noteHook(ctx context.Context, watchID, id string, kind githost.Kind) error {
	return w.Store.Atomically(ctx, func(ctx context.Context) error {
		watch, err := w.Store.SourceWatch(ctx, watchID)
		if err != nil {
			return err
		}
		watch.Hook, watch.Provider, watch.Due = id, string(kind), w.Now()
		_, err = w.Store.PutSourceWatch(ctx, watch)
		return err
	})
}

// unhookable says why there can't be a webhook as things are set up.
type unhookable struct{ why string }

// Error says why.
func (e *unhookable) Error() string { return e.why }

// makeHook makes a webhook in place of those for the same URL that there are.
func (w *Watcher) makeHook(ctx context.Context, watch drydock.SourceWatch) (string, githost.Kind, error) {
	s, err := w.open(watch)
	if err != nil {
		return "", "", err
	}
	kind, err := githost.Detect(ctx, watch.Repository, s.Token, w.Hosts)
	if err != nil {
		return "", "", err
	}
	hookURL, problem := w.HookURL(ctx, watch.Repository, watch.ID)
	switch {
	case kind == githost.Plain && watch.Pull:
		return "", kind, &unhookable{"the git host is none whose API is known; pull requests there can't be seen"}
	case kind == githost.Plain:
		return "", kind, &unhookable{"the git host is none whose API is known"}
	case hookURL == "":
		return "", kind, &unhookable{problem}
	case s.Token == "":
		return "", kind, &unhookable{"the source trigger has no token for the git host"}
	}
	host, err := githost.New(kind, watch.Repository, s.Token, w.Hosts)
	if err != nil {
		return "", kind, err
	}
	// Whoever removes the watch must know where there may be a webhook.
	if _, err := w.update(ctx, watch.ID, func(_ context.Context, watch *drydock.SourceWatch) error {
		watch.Provider = string(kind)
		return nil
	}); err != nil {
		return "", kind, err
	}
	old, err := host.FindHooks(ctx, hookURL)
	if err != nil {
		return "", kind, err
	}
	for _, id := range old {
		if err := host.DeleteHook(ctx, id); err != nil {
			return "", kind, fmt.Errorf("removing an old webhook: %w", err)
		}
	}
	id, err := host.CreateHook(ctx, githost.Hook{URL: hookURL, Secret: s.Hook, Push: watch.Commit, Pull: watch.Pull})
	return id, kind, err
}
