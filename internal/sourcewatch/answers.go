package sourcewatch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// answers shares what repositories answer among the watches of one: many tasks
// may be built from a repository.
type answers struct {
	mu  sync.Mutex
	all map[string]*answer
}

type answer struct {
	asked time.Time
	done  chan struct{} // closed when the rest is there
	value any
	err   error
}

// keep is how long answers are kept at most.
const keep = 10 * time.Minute

// get returns the answer to a question that was asked after a time, or asks. The context of whoever asked counts; others may ask again.
func (a *answers) get(ctx context.Context, question string, since, now time.Time, ask func() (any, error)) (any, error) {
	for {
		mine, old := a.find(question, since, now)
		if mine != nil {
			mine.value, mine.err = ask()
			close(mine.done)
			return mine.value, mine.err
		}
		select {
		case <-old.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if old.err == nil {
			return old.value, nil
		}
		// What went wrong for another may go well for this one.
		since = old.asked
	}
}

// find returns an answer that is fresh enough, or one to be filled.
func (a *answers) find(question string, since, now time.Time) (mine, old *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// What was asked in the future was asked before the clock was set back.
	if found := a.all[question]; found != nil && found.asked.After(since) && !found.asked.After(now) {
		return nil, found
	}
	for q, other := range a.all {
		if other.asked.Before(now.Add(-keep)) || other.asked.After(now) {
			delete(a.all, q)
		}
	}
	if a.all == nil {
		a.all = map[string]*answer{}
	}
	mine = &answer{asked: now, done: make(chan struct{})}
	a.all[question] = mine
	return mine, nil
}

// question names a question without its secrets.
func question(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q", parts)))
}

// refs is what a repository points at.
type refs struct {
	commits  map[string]string
	standard string
}

// refs asks a repository for refs, or takes what it answered since a time.
func (w *Watcher) refs(ctx context.Context, repository, token string, patterns []string, since time.Time) (refs, error) {
	key := question(append([]string{"refs", repository, token}, patterns...)...)
	v, err := w.asked.get(ctx, key, since, w.Now(), func() (any, error) {
		limit := cmp.Or(w.Answer, answerWithin)
		ctx, cancel := context.WithTimeoutCause(ctx, limit, drydock.Errorf(drydock.Unavailable, "the git host has not answered within %s", limit))
		defer cancel()
		commits, standard, err := w.Repositories.Refs(ctx, repository, token, patterns...)
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return refs{commits, standard}, err
	})
	if err != nil {
		return refs{}, err
	}
	return v.(refs), nil
}

// changed asks for the files that differ between two commits, which never
// changes.
func (w *Watcher) changed(ctx context.Context, repository, token, before, after string) ([]string, error) {
	key := question("changed", repository, token, before, after)
	v, err := w.asked.get(ctx, key, time.Time{}, w.Now(), func() (any, error) {
		return w.Repositories.Changed(ctx, repository, token, before, after)
	})
	if err != nil {
		return nil, err
	}
	return v.([]string), nil
}
