package sourcewatch

import (
	"context"
	"time"
)

// Step does what is due, waits for its end, and returns when there will be more.
func (w *Watcher) Step(ctx context.Context) (time.Time, error) {
	next, err := w.begin(ctx)
	w.lookers.wait()
	w.tellers.wait()
	return next, err
}
