package acrcli

import (
	"context"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"
)

// thing is a tag or a manifest that is to be deleted.
type thing struct {
	name   string // complete
	locked bool
	unlock func(context.Context) error
	delete func(context.Context) error
}

// delete deletes things, some at a time, and returns how many are gone. In a dry run
// it only says so. After an error it begins no more.
func (p *purger) delete(ctx context.Context, things []thing) (n int, err error) {
	if p.dryRun {
		for _, t := range things {
			p.say("Would delete: %s", t.name)
		}
		return len(things), nil
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		p.say(format, args...)
	}
	deleting, ctx := errgroup.WithContext(ctx)
	deleting.SetLimit(p.concurrency)
	for _, t := range things {
		if ctx.Err() != nil {
			break
		}
		deleting.Go(func() error {
			gone, err := t.remove(ctx, say)
			if gone {
				mu.Lock()
				n++
				mu.Unlock()
			}
			return err
		})
	}
	err = deleting.Wait()
	return n, err
}

// remove deletes the thing and reports whether it is gone. What the registry does
// not allow to delete stays, which is no error.
func (t thing) remove(ctx context.Context, say func(string, ...any)) (gone bool, err error) {
	if t.locked {
		if err := t.unlock(ctx); err != nil {
			say("Warning: Failed to unlock %s, error: %v. Will attempt deletion anyway.", t.name, err)
		} else {
			say("Unlocked %s", t.name)
		}
	}
	err = t.delete(ctx)
	switch status := statusOf(err); {
	case err == nil:
		say("Deleted %s", t.name)
		return true, nil
	case status == http.StatusNotFound:
		say("Skipped %s, HTTP status: %d", t.name, status)
		return true, nil
	case status == http.StatusMethodNotAllowed:
		say("Skipped %s, operation not allowed, HTTP status: %d", t.name, status)
		return false, nil
	}
	say("Failed to delete %s, error: %v", t.name, err)
	return false, err
}
