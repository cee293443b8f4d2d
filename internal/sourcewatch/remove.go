package sourcewatch

import (
	"context"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/pause"
)

// remove removes a webhook and then the watch. What can't be removed is left
// behind, and said.
func (w *Watcher) remove(ctx context.Context, watch drydock.SourceWatch) error {
	err := w.unhook(ctx, watch)
	if err != nil && drydock.CodeOf(err) == drydock.Unavailable && watch.Failures < maxRemovals {
		// The host is away: again later.
		watch.Failures++
		watch.Due = w.after(pause.Growing(watch.Failures, 2*time.Second, time.Hour, 0))
		_, err := w.Store.PutSourceWatch(ctx, watch)
		return err
	}
	if err != nil {
		w.Log.WarnContext(ctx, "a webhook can't be removed: do it at the git host", "task", watch.Task.String(),
			"trigger", watch.Trigger, "repository", watch.Repository, "webhook", watch.Hook, "error", err)
	}
	w.mu.Lock()
	delete(w.warned, watch.ID)
	delete(w.warned, statusOf(watch.ID))
	delete(w.hints, watch.ID)
	w.mu.Unlock()
	err = w.Store.DeleteSourceWatch(ctx, watch.ID)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil
	}
	return err
}

// maxRemovals is how often it is tried to remove a webhook from a host that is
// away: for about a week.
const maxRemovals = 180

// unhook removes the webhook of a watch, also one that was made and not noted.
func (w *Watcher) unhook(ctx context.Context, watch drydock.SourceWatch) error {
	if watch.Provider == "" || watch.Provider == string(githost.Plain) {
		return nil
	}
	host, err := w.host(watch)
	if err != nil {
		return err
	}
	if watch.Hook != "" {
		return host.DeleteHook(ctx, watch.Hook)
	}
	hookURL, _ := w.HookURL(ctx, watch.Repository, watch.ID)
	if hookURL == "" {
		return nil
	}
	ids, err := host.FindHooks(ctx, hookURL)
	if drydock.CodeOf(err) == drydock.Denied {
		return nil // who may not see them has made none
	}
	for _, id := range ids {
		if err := host.DeleteHook(ctx, id); err != nil {
			return fmt.Errorf("removing webhook %s: %w", id, err)
		}
	}
	return err
}
