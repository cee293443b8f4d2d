package acrcli

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]filter{
		"hello-world:.*":         {"hello-world", ".*"},
		".*:^(?:a|b)$":           {".*", "^(?:a|b)$"},
		"(?i:Team)/.*:v1":        {"(?i:Team)/.*", "v1"},
		`[[:alpha:]]+:[^:\]:]x`:  {"[[:alpha:]]+", `[^:\]:]x`},
		`a:^(?!latest$).*`:       {"a", "^(?!latest$).*"},
		`a:\w*world\b`:           {"a", `\w*world\b`},
		"app:^$":                 {"app", "^$"},
		`a:[]:]`:                 {"a", "[]:]"},
		"a/b:(?<name>x)(?im-s:)": {"a/b", "(?<name>x)(?im-s:)"},
	} {
		if got, err := parseFilter(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"hello": "unable to", "a:b:c": "unable to", ":x": "missing repository", "x:": "missing tag", "": "unable to", "(?:x)": "unable to",
	} {
		if got, err := parseFilter(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{"a:b", "[[:", `a\`, "(?", "(?i", "[^", "[]", "[[:x:]", "(?:[:]):x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFilter(text)
		if err == nil && (got.repository+":"+got.tag != text || got.repository == "" || got.tag == "") {
			t.Errorf("%q: %q", text, got)
		}
	})
}

func TestTargets(t *testing.T) {
	t.Parallel()
	all := []string{"a", "ab", "team/a", "team/cache", "my-repo"}
	for _, c := range []struct {
		filters []string
		want    map[string]string
	}{
		{[]string{".*:x"}, map[string]string{"a": "x", "ab": "x", "team/a": "x", "team/cache": "x", "my-repo": "x"}},
		{[]string{"a:x"}, map[string]string{"a": "x"}},
		{[]string{"a|b:x"}, map[string]string{"a": "x"}}, // all of the name
		{[]string{".*/cache:x", "team/.*:y"}, map[string]string{"team/cache": "x|y", "team/a": "y"}},
		{[]string{"not-listed:x"}, map[string]string{"not-listed": "x"}},
	} {
		var filters []filter
		for _, text := range c.filters {
			f, err := parseFilter(text)
			if err != nil {
				t.Fatal(err)
			}
			filters = append(filters, f)
		}
		got, err := targets(filters, all, time.Minute)
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%v: %v, %v", c.filters, slices.Sorted(maps.Keys(got)), err)
		}
	}
}

// An expression that tracks back for ever ends.
func TestMatchTimeout(t *testing.T) {
	t.Parallel()
	expression, err := compile(`^(\w+\s?)*$`, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := matches(expression, strings.Repeat("a", 60)+"!"); err == nil || !strings.Contains(err.Error(), "--filter-timeout-seconds") {
		t.Error(err)
	}
}
