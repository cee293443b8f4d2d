package trigger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

func source(t *testing.T, st drydock.SourceTrigger) *trigger.Source {
	t.Helper()
	s, err := trigger.NewSource(st)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSourceRefs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ url, branch, asks, yes, no string }{
		{"https://h/r.git", "", "HEAD", "", "refs/heads/main refs/tags/v1"},
		// Clients call the branch of a URL without one master.
		{"https://h/r.git", "master", "HEAD", "", "refs/heads/master"},
		{"https://h/r.git#:folder", "master", "HEAD", "", "refs/heads/master"},
		{"https://h/r.git#master", "master", "refs/heads/master", "refs/heads/master", "refs/heads/master/x refs/tags/master refs/heads/main"},
		{"https://h/r.git", "main", "refs/heads/main", "refs/heads/main", "refs/heads/mainly"},
		{"https://h/r.git#main", "release/*", "refs/heads/release/*", "refs/heads/release/1", "refs/heads/release refs/heads/release/1/2 refs/heads/main"},
		{"https://h/r.git", "release-[12]*", "refs/heads/*", "refs/heads/release-1 refs/heads/release-22", "refs/heads/release-3"},
		{"https://h/r.git", "**", "refs/heads/*", "refs/heads/a refs/heads/a/b/c", "refs/tags/a"},
		{"https://h/r.git", "feature/**", "refs/heads/feature/*", "refs/heads/feature/a refs/heads/feature/a/b", "refs/heads/features/a"},
		{"https://h/r.git", "**/x", "refs/heads/*", "refs/heads/x refs/heads/a/x refs/heads/a/b/x", "refs/heads/x/y refs/heads/xx"},
		{"https://h/r.git", "a/**/b/**", "refs/heads/a/*", "refs/heads/a/b refs/heads/a/x/y/b/z", "refs/heads/a/c refs/heads/b"},
		{"https://h/r.git", "refs/tags/v*", "refs/tags/*", "refs/tags/v1.0", "refs/tags/1.0 refs/heads/v1"},
		{"https://h/r.git", "refs/tags/v1", "refs/tags/v1", "refs/tags/v1", "refs/tags/v2"},
	} {
		s := source(t, drydock.SourceTrigger{Repository: tt.url, Branch: tt.branch})
		if got := strings.Join(s.Refs(), " "); got != tt.asks {
			t.Errorf("%s, %s: asks for %s, not %s", tt.url, tt.branch, got, tt.asks)
		}
		for _, ref := range strings.Fields(tt.yes) {
			if !s.Matches(ref, false) {
				t.Errorf("%s, %s: %s does not match", tt.url, tt.branch, ref)
			}
		}
		for _, ref := range strings.Fields(tt.no) {
			if s.Matches(ref, false) {
				t.Errorf("%s, %s: %s matches", tt.url, tt.branch, ref)
			}
		}
	}
	if s := source(t, drydock.SourceTrigger{Repository: "https://h/r.git"}); !s.Matches("refs/heads/trunk", true) {
		t.Error("the default branch does not match")
	}
}

func TestSourceStarts(t *testing.T) {
	t.Parallel()
	both := drydock.SourceTrigger{Enabled: true, Commit: true, Pull: true, Repository: "https://h/r.git#main", Branch: "main"}
	commit := drydock.SourceChange{Ref: "refs/heads/main", Commit: "c", Paths: []string{"api/main.go"}}
	pull := drydock.SourceChange{Ref: "refs/heads/main", Commit: "c", Pull: "7", Action: "opened", Paths: []string{"docs/x.md", "web/app.js"}}
	for name, tt := range map[string]struct {
		change func(*drydock.SourceTrigger, *drydock.SourceChange)
		commit bool
		pull   bool
	}{
		"all":              {func(*drydock.SourceTrigger, *drydock.SourceChange) {}, true, true},
		"disabled":         {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) { s.Enabled = false }, false, false},
		"commits only":     {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) { s.Pull = false }, true, false},
		"pulls only":       {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) { s.Commit = false }, false, true},
		"another branch":   {func(_ *drydock.SourceTrigger, c *drydock.SourceChange) { c.Ref = "refs/heads/dev" }, false, false},
		"a deleted branch": {func(_ *drydock.SourceTrigger, c *drydock.SourceChange) { c.Commit = "" }, false, false},
		"updated":          {func(_ *drydock.SourceTrigger, c *drydock.SourceChange) { c.Action = "updated" }, true, true},
		"labeled":          {func(_ *drydock.SourceTrigger, c *drydock.SourceChange) { c.Action = "labeled" }, true, false},
		"one path":         {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) { s.Paths = []string{"api"} }, true, false},
		"a pattern":        {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) { s.Paths = []string{"**/*.js"} }, false, true},
		"below":            {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) { s.Paths = []string{"api/**", "web/*"} }, true, true},
		"but not":          {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) { s.Paths = []string{"!api"} }, false, true},
		"but not again": {func(s *drydock.SourceTrigger, _ *drydock.SourceChange) {
			s.Paths = []string{"**", "!**/*.md", "!web", "!api/main.go"}
		}, false, false},
		"not known": {func(s *drydock.SourceTrigger, c *drydock.SourceChange) {
			s.Paths, c.AllPaths, c.Paths = []string{"none"}, true, nil
		}, true, true},
		"nothing changed": {func(s *drydock.SourceTrigger, c *drydock.SourceChange) { s.Paths, c.Paths = []string{"**"}, nil }, false, false},
	} {
		for _, c := range []struct {
			change drydock.SourceChange
			want   bool
		}{{commit, tt.commit}, {pull, tt.pull}} {
			st := both
			tt.change(&st, &c.change)
			if got := source(t, st).Starts(c.change); got != c.want {
				t.Errorf("%s: a change with pull request %q starts a run: %t", name, c.change.Pull, got)
			}
		}
	}
}

func TestSourceInvalid(t *testing.T) {
	t.Parallel()
	for _, st := range []drydock.SourceTrigger{{Branch: "[a"}, {Paths: []string{"[a"}}, {Paths: []string{"!"}}} {
		if _, err := trigger.NewSource(st); drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("%+v: %v", st, err)
		}
	}
}

func FuzzSource(f *testing.F) {
	f.Add("https://h/r.git#main:x", "release/**", "!docs\n**/*.go", "refs/heads/release/1")
	f.Add("", "refs/tags/[v]*", "[", "refs/tags/v1")
	f.Fuzz(func(t *testing.T, repository, branch, paths, ref string) {
		s, err := trigger.NewSource(drydock.SourceTrigger{
			Enabled: true, Commit: true, Repository: repository, Branch: branch, Paths: strings.Split(paths, "\n"),
		})
		if err != nil {
			if drydock.CodeOf(err) != drydock.Invalid {
				t.Error(err)
			}
			return
		}
		s.Starts(drydock.SourceChange{Ref: ref, Commit: "c", Paths: []string{"a/b", ref, paths}})
		if len(s.Refs()) != 1 || slices.Contains(s.Refs(), "") {
			t.Errorf("asks for %q", s.Refs())
		}
	})
}
