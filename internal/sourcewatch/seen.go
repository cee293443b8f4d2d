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

// compare returns what is different from before, and what is seen now. What is
// seen for the first time is no change, unless a call has told that it is one.
func (s seen) compare(f found, source *trigger.Source) ([]drydock.SourceChange, seen) {
	now := seen{Pattern: s.Pattern, Refs: s.Refs, Default: s.Default, Pulls: s.Pulls}
	var changes []drydock.SourceChange
	if f.refs != nil {
		changes = s.compareRefs(f, source, &now)
	}
	return append(changes, s.comparePulls(f, &now)...), now
}

func (s seen) compareRefs(f found, source *trigger.Source, now *seen) []drydock.SourceChange {
	first := s.Refs == nil || s.Pattern != source.Pattern()
	now.Pattern, now.Refs, now.Default = source.Pattern(), map[string]string{}, f.refs.standard
	var changes []drydock.SourceChange
	for _, ref := range slices.Sorted(maps.Keys(f.refs.commits)) {
		commit, byDefault := f.refs.commits[ref], ref == f.refs.standard
		if !source.Matches(ref, byDefault) {
			continue
		}
		now.Refs[ref] = commit
		before, known := s.Refs[ref]
		if !known && byDefault && source.Pattern() == "" && s.Default != "" {
			before, known = s.Refs[s.Default], !first // another branch is the default now
		}
		if !known && first {
			if before, known = hinted(f.hints, ref); !known {
				continue
			}
		}
		if before != commit {
			changes = append(changes, drydock.SourceChange{Ref: ref, Default: byDefault, Before: before, Commit: commit})
		}
	}
	return changes
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
	first := s.Pulls == nil
	if now.Pulls = maps.Clone(s.Pulls); f.allPulls || now.Pulls == nil {
		now.Pulls = map[string]string{}
	}
	slices.SortFunc(f.pulls, func(a, b githost.Pull) int { // by their numbers
		return cmp.Or(cmp.Compare(len(a.Number), len(b.Number)), cmp.Compare(a.Number, b.Number))
	})
	var changes []drydock.SourceChange
	for _, p := range f.pulls {
		before, known := s.Pulls[p.Number]
		if !p.Open || p.Commit == "" {
			delete(now.Pulls, p.Number)
			continue
		}
		now.Pulls[p.Number] = p.Commit
		told := slices.ContainsFunc(f.hints, func(h drydock.SourceChange) bool { return h.Pull == p.Number })
		if first && !told || known && before == p.Commit {
			continue
		}
		action := "opened"
		if known {
			action = "updated"
		}
		c := p.Change("", "", action)
		c.Before = before
		c.Default = now.Default != "" && c.Ref == now.Default
		changes = append(changes, c)
	}
	return changes
}
