package sourcewatch

import (
	"context"

	"github.com/drydockhq/drydock"
)

// superseded returns the runs for older commits of the same branch or pull
// request that are to be canceled, if the trigger wants that.
func (w *Watcher) superseded(ctx context.Context, newer drydock.RunRecord, d *drydock.SourceTriggerDescriptor, s *drydock.SourceTrigger) ([]drydock.RunRecord, error) {
	if !s.CancelSuperseded {
		return nil, nil
	}
	active, err := w.Store.Runs(ctx, drydock.RunFilter{Registry: newer.Registry, Tasks: []string{newer.Task}, OnlyActive: true})
	if err != nil {
		return nil, err
	}
	var older []drydock.RunRecord
	for _, r := range active {
		t, err := drydock.ParseRunTrigger(r.Trigger)
		if err != nil || t.Source == nil || t.Source.EventType != d.EventType || t.Source.PullRequestID != d.PullRequestID ||
			t.Source.RepositoryURL != d.RepositoryURL || d.PullRequestID == "" && t.Source.BranchName != d.BranchName {
			continue
		}
		older = append(older, r)
	}
	return older, nil
}

// Handled lets the runs be canceled that newer ones stand for, which are stored
// now; see dispatch.Consumer. A server that is killed before they are canceled
// leaves them to end by themselves.
func (w *Watcher) Handled() {
	w.mu.Lock()
	w.older = append(w.older, w.handled...)
	w.mu.Unlock()
	w.handled = nil
	w.Wake()
}

// cancelOlder cancels the runs that newer ones stand for. Those that can't be now
// are tried again.
func (w *Watcher) cancelOlder(ctx context.Context) error {
	w.mu.Lock()
	older := w.older
	w.older = nil
	w.mu.Unlock()
	for i, r := range older {
		err := w.Cancel(ctx, r.Registry, r.ID)
		if code := drydock.CodeOf(err); err == nil || code == drydock.Conflict || code == drydock.NotFound {
			continue // it has ended
		}
		w.mu.Lock()
		w.older = append(older[i:], w.older...)
		w.mu.Unlock()
		return err
	}
	return nil
}
