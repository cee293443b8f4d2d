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
		seen := slices.ContainsFunc(changes, func(c drydock.SourceChange) bool {
			return c.Pull == h.Pull && (c.Pull != "" || c.Ref == h.Ref)
		})
		switch {
		case seen, h.Commit == "", h.Action == "closed": // it is there, or there is nothing to come
			return false
		case h.Pull != "":
			return v.latePull(h, f)
		}
		return v.lateRef(h, f)
	})
}

// latePull reports that a pull request that a call told of is as it was before.
func (v view) latePull(h drydock.SourceChange, f found) bool {
	return v.watch.Pull && v.seen.Pulls[h.Pull] != h.Commit && !slices.ContainsFunc(f.pulls, func(p githost.Pull) bool {
		return p.Number == h.Pull && (p.Commit == h.Commit || !p.Open)
	})
}

// lateRef reports so of a branch or tag.
func (v view) lateRef(h drydock.SourceChange, f found) bool {
	if !v.watch.Commit || f.refs == nil || !v.source.Matches(h.Ref, h.Ref == v.seen.Default) {
		return false
	}
	return f.refs.commits[h.Ref] == h.Before // both are empty for none
}
