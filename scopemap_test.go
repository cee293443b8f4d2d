package drydock_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

func TestParseScopeAction(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]drydock.ScopeAction{
		"repositories/hello-world/content/read":                      {Repositories: "hello-world", Verb: "content/read"},
		"repositories/a/b/c/metadata/write":                          {Repositories: "a/b/c", Verb: "metadata/write"},
		"repositories/content/read/content/delete":                   {Repositories: "content/read", Verb: "content/delete"},
		"repositories/*/content/write":                               {Repositories: "*", Verb: "content/write"},
		"repositories/team/*/metadata/read":                          {Repositories: "team/*", Verb: "metadata/read"},
		"repositories/team*/metadata/read":                           {Repositories: "team*", Verb: "metadata/read"},
		"repositories/team-*/metadata/read":                          {Repositories: "team-*", Verb: "metadata/read"},
		"":                                                           {},
		"repositories/hello-world":                                   {},
		"repositories//content/read":                                 {},
		"repositories/content/read":                                  {},
		"repositories/hello/metadata/delete":                         {},
		"repositories/Hello/content/read":                            {},
		"repositories/he*lo/content/read":                            {},
		"repositories/*/hello/content/read":                          {},
		"repositories/**/content/read":                               {},
		"repositories//*/content/read":                               {},
		"gateway/edge/config/read":                                   {},
		"hello-world/content/read":                                   {},
		"repositories/" + strings.Repeat("a", 256) + "/content/read": {},
	} {
		got, err := drydock.ParseScopeAction(text)
		if got != want || (err == nil) != (want != drydock.ScopeAction{}) {
			t.Errorf("%q: %+v %v", text, got, err)
		}
		if err != nil && drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("%q: code %s", text, drydock.CodeOf(err))
		}
	}
}

func TestScopeActionCovers(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		"team": {"team"}, "team/*": {"team/a", "team/a/b"}, "team*": {"team", "team/a", "team/a/b", "teams"},
		"*": {"other", "team", "team/a", "team/a/b", "teams"},
	} {
		var got []string
		for _, name := range []string{"other", "team", "team/a", "team/a/b", "teams"} {
			if (drydock.ScopeAction{Repositories: pattern}).Covers(name) {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s covers %v, want %v", pattern, got, want)
		}
	}
}

// The scope maps of the system say what can be read back.
func TestSystemScopeMaps(t *testing.T) {
	t.Parallel()
	for _, m := range drydock.SystemScopeMaps() {
		if found, ok := drydock.SystemScopeMap(strings.ToUpper(m.Name)); !ok || found.Description != m.Description || !drydock.IsTokenName(m.Name) {
			t.Errorf("%s: %+v", m.Name, found)
		}
		for _, text := range m.Actions {
			if a, err := drydock.ParseScopeAction(text); err != nil || !a.All() {
				t.Errorf("%s: %s: %v", m.Name, text, err)
			}
		}
	}
}

func FuzzParseScopeAction(f *testing.F) {
	for _, seed := range []string{"repositories/a/content/read", "repositories/a/*/metadata/write", "repositories/*/content/delete", "gateway/a/config/read", "repositories/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := drydock.ParseScopeAction(text)
		if err != nil {
			return
		}
		if "repositories/"+a.Repositories+"/"+a.Verb != text || !slices.Contains(drydock.ScopeVerbs(), a.Verb) {
			t.Errorf("%q: %+v", text, a)
		}
		if name := strings.TrimSuffix(a.Repositories, "*"); strings.Contains(name, "*") || !a.Covers(name+"a") == strings.HasSuffix(a.Repositories, "*") {
			t.Errorf("%q covers %q: %v", text, name+"a", a.Covers(name+"a"))
		}
	})
}
