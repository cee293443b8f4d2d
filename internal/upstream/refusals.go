package upstream

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// quiet is the time between two warnings of deliveries that are refused: anybody
// can send such, and as many as they like.
const quiet = time.Minute

// refusals warns of deliveries that are refused, now and then.
type refusals struct {
	mu   sync.Mutex
	next time.Time // of a warning
	left int       // that there was no warning of since the last one
}

// warn logs a refusal, or counts it for the next warning.
func (f *refusals) warn(ctx context.Context, log *slog.Logger, now time.Time, text string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Before(f.next) && f.next.Sub(now) <= quiet { // a clock may go back
		f.left++
		return
	}
	log.WarnContext(ctx, text, append(args, "others", f.left)...)
	f.next, f.left = now.Add(quiet), 0
}
