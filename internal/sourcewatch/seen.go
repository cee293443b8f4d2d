package sourcewatch

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/trigger"
)

// seen is what a repository was like when it was last looked at.
type seen struct {
	Pattern string            `json:"pattern"` // that Refs are of
	Refs    map[string]string `json:"refs"`    // commits of what matches; nil before the first look
	Default string            `json:"default,omitempty"`
	Pulls   map[string]string `json:"pulls"` // commits of what is open, by number; nil before the first look
}

func readSeen(text []byte) seen {
	var s seen
	// What can't be read was never seen.
	if json.Unmarshal(text, &s) != nil {
		return seen{}
	}
	return s
}

func (s seen) text() ([]byte, error) { return json.Marshal(s) }

// found is what a look has found.
type found struct {
	refs     *refs          // nil if they were not asked for
	pulls    []githost.Pull // those that were asked for
	allPulls bool           // pulls are all that are open
	hints    []drydock.SourceChange
}

// compare returns what is different from before, and what is seen now. The first
// look at a repository, or after its trigger's branches have become others, finds
// how it is, which is no change, unless a call has told that it is one:
//
//	now             before                       the change
//	ref at c        at c                         none
//	                at b                         b to c
//	                not there                    nothing to c
//	                not there; it is the default
//	                branch in place of one at b  b to c
//	                first look                   none
//	                first look, a call says b    b to c; none if b is c
//	no ref          any                          none
//	pull at c       at c                         none
//	                at b                         updated
//	                not there                    opened
//	                first look                   none
//	                first look, a call names it  opened
//	pull is closed  any                          none
//
// What is no longer there is forgotten. Pull requests that were not asked for stay
// as they were, and so do all refs when none were asked for.
func (s seen) compare(f found, source *trigger.Source) ([]drydock.SourceChange, seen) {
	now := s
	var changes []drydock.SourceChange
	if f.refs != nil {
		changes = s.compareRefs(f, source, &now)
	}
	return append(changes, s.comparePulls(f, &now)...), now
}

func (s seen) compareRefs(f found, source *trigger.Source, now *seen) []drydock.SourceChange {
	now.Pattern, now.Refs, now.Default = source.Pattern(), map[string]string{}, f.refs.standard
	var changes []drydock.SourceChange
	for _, ref := range slices.Sorted(maps.Keys(f.refs.commits)) {
		commit, byDefault := f.refs.commits[ref], ref == f.refs.standard
		if !source.Matches(ref, byDefault) {
			continue
		}
		now.Refs[ref] = commit
		if before, known := s.before(ref, byDefault, source.Pattern(), f.hints); known && before != commit {
			changes = append(changes, drydock.SourceChange{Ref: ref, Default: byDefault, Before: before, Commit: commit})
		}
	}
	return changes
}

// before returns which commit a ref was at, empty for none; false when nobody
// knows.
func (s seen) before(ref string, byDefault bool, pattern string, hints []drydock.SourceChange) (commit string, known bool) {
	if commit, known = s.Refs[ref]; known {
		return commit, true
	}
	if s.Refs == nil || s.Pattern != pattern {
		return hinted(hints, ref)
	}
	if byDefault && pattern == "" && s.Default != "" {
		return s.Refs[s.Default], true
	}
	return "", true
}

// hinted returns what a ref was like before the calls about it.
func hinted(hints []drydock.SourceChange, ref string) (before string, told bool) {
	for _, h := range hints {
		if h.Pull == "" && h.Ref == ref && h.Commit != "" {
			return h.Before, true
		}
	}
	return "", false
}

func (s seen) comparePulls(f found, now *seen) []drydock.SourceChange {
	if !f.allPulls && len(f.pulls) == 0 {
		return nil
	}
	if now.Pulls = maps.Clone(s.Pulls); f.allPulls || now.Pulls == nil {
		now.Pulls = map[string]string{}
	}
	slices.SortFunc(f.pulls, func(a, b githost.Pull) int { // by their numbers
		return cmp.Or(cmp.Compare(len(a.Number), len(b.Number)), cmp.Compare(a.Number, b.Number))
	})
	var changes []drydock.SourceChange
	for _, p := range f.pulls {
		if !p.Open || p.Commit == "" {
			delete(now.Pulls, p.Number)
			continue
		}
		now.Pulls[p.Number] = p.Commit
		if action := s.action(p, f.hints); action != "" {
			c := p.Change("", "", action)
			c.Before = s.Pulls[p.Number]
			c.Default = now.Default != "" && c.Ref == now.Default
			changes = append(changes, c)
		}
	}
	return changes
}

// action says what has happened to a pull request that is open; empty for nothing.
func (s seen) action(p githost.Pull, hints []drydock.SourceChange) string {
	before, known := s.Pulls[p.Number]
	told := slices.ContainsFunc(hints, func(h drydock.SourceChange) bool { return h.Pull == p.Number })
	switch {
	case s.Pulls == nil && !told, known && before == p.Commit:
		return ""
	case known:
		return "updated"
	}
	return "opened"
}
