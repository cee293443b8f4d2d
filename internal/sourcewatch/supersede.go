package sourcewatch

import (
	"context"
	"fmt"

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

// withdraw notes of runs, with what else is stored, that they are to be canceled:
// so they are, also if the server is killed before it gets to it.
func (w *Watcher) withdraw(ctx context.Context, runs []drydock.RunRecord) error {
	for _, r := range runs {
		_, err := w.Store.UpdateRun(ctx, r.Registry, r.ID, func(r *drydock.RunRecord) error {
			r.CancelRequested = true
			return nil
		})
		if err != nil {
			return fmt.Errorf("canceling run %s: %w", r.ID, err)
		}
	}
	w.handled = append(w.handled, runs...)
	return nil
}

// Handled lets the runs be canceled at once that newer ones stand for, which are
// stored now; see dispatch.Consumer.
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
