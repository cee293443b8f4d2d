package sourcewatch

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
)

// Apart exposes apart.
func Apart(s *drydock.SourceTrigger) (repository, token string) { return apart(s) }

// Rest is tried by itself.
var Rest = rest

// Warned returns how many warnings are remembered.
func (w *Watcher) Warned() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.warned)
}

// Step does what is due, waits for its end, and returns when there will be more.
func (w *Watcher) Step(ctx context.Context) (time.Time, error) {
	next, err := w.begin(ctx)
	w.lookers.Wait()
	w.tellers.Wait()
	return next, err
}
