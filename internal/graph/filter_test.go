package graph_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/graph"
)

var (
	filterFields = []string{"displayname", "appid", "accountenabled", "serviceprincipalnames*"}
	filterValues = map[string][]string{
		"displayname": {"O'Brien's CI"}, "appid": {"11111111-aaaa"}, "accountenabled": {"true"},
		"serviceprincipalnames": {"11111111-aaaa", "api://ci"},
	}
)

func TestFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                                true,
		"appId eq '11111111-AAAA'":        true,
		"appId eq '2'":                    false,
		"appId ne '2'":                    true,
		"displayName eq 'o''brien''s ci'": true,
		"startswith(displayName,'O''B')":  true,
		"endswith(displayName, 'CI')":     true,
		"contains(displayName,'x')":       false,
		"accountEnabled eq true":          true,
		"appId in ('2', '11111111-aaaa')": true,
		"appId in ('2')":                  false,
		"not(appId eq '2')":               true,
		"appId eq '2' or accountEnabled eq true and startswith(displayName,'o')":   true,
		"(appId eq '2' or accountEnabled eq true) and startswith(displayName,'p')": false,
		"servicePrincipalNames/any(c:c eq 'api://CI')":                             true,
		"servicePrincipalNames/any(c:c eq '2')":                                    false,
		"servicePrincipalNames/any(x: startswith(x, 'api:') and x eq 'api://ci')":  true,
		"not servicePrincipalNames/ANY(c:c eq 'api://ci')":                         false,
	} {
		got, err := graph.Selects(text, filterFields, filterValues)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestFilterRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"appId":                                   "is not a comparison",
		"appId eq":                                "a value is expected",
		"appId gt '1'":                            "is not a comparison",
		"appId eq '1":                             "has no end",
		"appId eq '1' appId":                      "is not expected",
		"nothing eq '1'":                          "no field 'nothing'",
		"substringof('a', appId)":                 "no function",
		"servicePrincipalNames eq '1'":            "is a list",
		"appId/any(c:c eq '1')":                   "no list 'appId'",
		"servicePrincipalNames/any(c:d eq '1')":   "no field 'd'",
		"servicePrincipalNames/any(c c eq '1')":   "':' is expected",
		"servicePrincipalNames/any(c:appId eq 1)": "no field 'appId'",
		"servicePrincipalNames/any(c:servicePrincipalNames/any(d:d eq '1'))": "no list",
		"appId in ('1'":              "',' is expected|')' is expected",
		"(appId eq '1'":              "')' is expected",
		"\xff eq '1'":                "not UTF-8",
		strings.Repeat("(", 40):      "nested more than",
		strings.Repeat("not ", 40):   "nested more than",
		strings.Repeat("a", 5000):    "longer than",
		"'1' eq appId":               "a field is expected",
		"startswith('a', appId)":     "no field 'a'",
		"startswith(appId 'a')":      "',' is expected",
		"appId eq '1' and":           "a field is expected",
		"appId eq '1' or 'x' eq 'y'": "a field is expected",
	} {
		_, err := graph.Selects(text, filterFields, filterValues)
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		ok := false
		for part := range strings.SplitSeq(want, "|") {
			ok = ok || strings.Contains(err.Error(), part)
		}
		if !ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"appId eq '1'", "servicePrincipalNames/any(c:c eq 'x')", "startswith(displayName,'a') and not (appId in ('1','2'))", "(((", "a/any(",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		matches, err := graph.Selects(text, filterFields, filterValues)
		if err != nil && matches {
			t.Errorf("%q selects, and is an error", text)
		}
	})
}
