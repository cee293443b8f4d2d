package trigger

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/drydockhq/drydock"
)

// The prefixes of full refs.
const (
	refsPrefix  = "refs/"
	headsPrefix = "refs/heads/"
)

// clientBranch is the branch that clients name when the URL of the repository
// names none, whatever its default branch is.
const clientBranch = "master"

// Source is what a source trigger waits for.
type Source struct {
	trigger drydock.SourceTrigger
	ref     []string // pattern of full refs, in parts; nil for the default branch
	paths   *patternmatcher.PatternMatcher
}

// NewSource reads what a source trigger waits for. A pattern that is wrong is an
// error with code Invalid.
func NewSource(t drydock.SourceTrigger) (*Source, error) {
	s := &Source{trigger: t}
	branch := t.Branch
	_, fragment, _ := strings.Cut(t.Repository, "#")
	inURL, _, _ := strings.Cut(fragment, ":")
	if branch == clientBranch && inURL == "" {
		branch = "" // without a ref, a run gets the default branch
	}
	if branch != "" {
		if !strings.HasPrefix(branch, refsPrefix) {
			branch = headsPrefix + branch
		}
		if _, err := path.Match(branch, ""); err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "the branch pattern %q of the source trigger %q is invalid", t.Branch, t.Name)
		}
		s.ref = strings.Split(branch, "/")
	}
	if len(t.Paths) == 0 {
		return s, nil
	}
	patterns := t.Paths
	if !slices.ContainsFunc(patterns, func(p string) bool { return !strings.HasPrefix(p, "!") }) {
		patterns = append([]string{"**"}, patterns...) // all but those
	}
	var err error
	if s.paths, err = patternmatcher.New(patterns); err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "the paths of the source trigger %q are invalid: %w", t.Name, err)
	}
	return s, nil
}

// Refs returns what to ask a repository for: patterns of refs in which a *
// stands for any text, also with slashes, or HEAD for the default branch.
func (s *Source) Refs() []string {
	if s.ref == nil {
		return []string{"HEAD"}
	}
	whole := strings.Join(s.ref, "/")
	at := strings.IndexAny(whole, `*?[\`)
	if at < 0 {
		return []string{whole}
	}
	return []string{whole[:strings.LastIndex(whole[:at], "/")+1] + "*"}
}

// Matches reports whether a full ref is one that counts; byDefault says that it
// is the repository's default branch.
func (s *Source) Matches(ref string, byDefault bool) bool {
	if s.ref == nil {
		return byDefault
	}
	return matchParts(s.ref, strings.Split(ref, "/"))
}

// Pattern returns what tells apart triggers with other refs; empty for the default
// branch.
func (s *Source) Pattern() string { return strings.Join(s.ref, "/") }

// HasPaths reports that it matters which files have changed.
func (s *Source) HasPaths() bool { return s.paths != nil }

// Starts reports whether a change starts a run: by what it is, by its ref, and by
// the files that it changed. Of files that are not known, any may have been.
func (s *Source) Starts(c drydock.SourceChange) bool {
	if c.Commit == "" || !s.trigger.Enabled || !s.Matches(c.Ref, c.Default) {
		return false
	}
	if c.Pull == "" && !s.trigger.Commit || c.Pull != "" && (!s.trigger.Pull || c.Action != "opened" && c.Action != "updated") {
		return false
	}
	if s.paths == nil || c.AllPaths {
		return true
	}
	return slices.ContainsFunc(c.Paths, func(file string) bool {
		matches, err := s.paths.MatchesOrParentMatches(file)
		return err == nil && matches
	})
}

// matchParts matches the parts of a ref: ** stands for any number of them, and
// the others are patterns as path.Match has them.
func matchParts(pattern, parts []string) bool {
	// reached[i]: what was looked at so far is matched by the first i patterns.
	reached := make([]bool, len(pattern)+1)
	reached[0] = true
	anyNumber := func() {
		for i, p := range pattern {
			reached[i+1] = reached[i+1] || p == "**" && reached[i]
		}
	}
	anyNumber()
	for _, part := range parts {
		next := make([]bool, len(reached))
		for i, p := range pattern {
			if p == "**" {
				next[i+1] = reached[i] || reached[i+1]
			} else if reached[i] {
				ok, err := path.Match(p, part)
				next[i+1] = ok && err == nil
			}
		}
		reached = next
		anyNumber()
	}
	return reached[len(pattern)]
}
