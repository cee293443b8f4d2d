package sourcewatch

import (
	"slices"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// hint is what calls have told of a watch since the last look.
type hint struct {
	changes []drydock.SourceChange
	at      time.Time // of the last one
	tries   int       // looks that did not find it
}

const (
	maxHints = 64
	// maxTries is how often it is looked for what a call told of and is not
	// there yet, hintTry after hintTry.
	maxTries = 5
	hintTry  = 2 * time.Second
)

// took takes what calls have told of a watch.
func (w *Watcher) took(id string) hint {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hints[id]
	if h == nil {
		return hint{}
	}
	delete(w.hints, id)
	return *h
}

// give adds to what calls have told of a watch.
func (w *Watcher) give(id string, h hint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hints == nil {
		w.hints = map[string]*hint{}
	}
	old := w.hints[id]
	if old == nil {
		old = &hint{}
		w.hints[id] = old
	}
	// The first that is about a ref tells what it was like before.
	if h.tries > 0 {
		old.changes = slices.Concat(h.changes, old.changes)
	} else {
		old.changes = append(old.changes, h.changes...)
	}
	old.changes, old.tries = old.changes[:min(len(old.changes), maxHints)], max(h.tries, old.tries)
	if h.at.After(old.at) {
		old.at = h.at
	}
}

// late reports that a call told of a commit and the repository still is as it was
// before: its answer was an old one.
func (v view) late(f found, changes []drydock.SourceChange) bool {
	if v.hint.tries >= maxTries || v.watch.State == drydock.WatchNew {
		return false
	}
	return slices.ContainsFunc(v.hint.changes, func(h drydock.SourceChange) bool {
		if h.Commit == "" || h.Action == "closed" || slices.ContainsFunc(changes, func(c drydock.SourceChange) bool {
			return c.Pull == h.Pull && (c.Pull != "" || c.Ref == h.Ref)
		}) {
			return false
		}
		if h.Pull != "" {
			return v.watch.Pull && v.seen.Pulls[h.Pull] != h.Commit && !slices.ContainsFunc(f.pulls, func(p githost.Pull) bool {
				return p.Number == h.Pull && (p.Commit == h.Commit || !p.Open)
			})
		}
		now, there := "", false
		if f.refs != nil {
			now, there = f.refs.commits[h.Ref]
		}
		return v.watch.Commit && v.source.Matches(h.Ref, h.Ref == v.seen.Default) && now == h.Before && (there || h.Before == "")
	})
}
