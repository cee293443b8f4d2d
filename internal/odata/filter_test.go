package odata_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/odata"
)

// has is a condition: the record has a field.
type has string

func (h has) Matches(r odata.Record) bool { return len(r[string(h)]) > 0 }

func parse(text string) (odata.Filter, error) {
	return odata.Parse(text, "(),", func(p *odata.Parser, _ int) (odata.Node, error) {
		t := p.Take()
		if t.Kind != odata.Word && t.Kind != odata.String {
			return nil, &odata.Error{Problem: "no field: " + t.Text}
		}
		return has(t.Text), nil
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	record := odata.Record{"a": {"1"}, "it's": {"2"}}
	for text, want := range map[string]bool{
		"a": true, "b": false, "not b": true, "NOT (a)": false, "a and b": false, "a or b": true, "'it''s'": true,
		"a or a and b": true, "(a or a) and b": false, "not a or a": true,
	} {
		n, err := parse(text)
		if err != nil || n.Matches(record) != want || n.All() {
			t.Errorf("%s: %v", text, err)
		}
	}
	if n, err := parse(" "); !n.All() || !n.Matches(nil) || err != nil {
		t.Errorf("an empty one: %v, %v", n, err)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "a": "a", "a and (b and c)": "a b c", "a or b": "", "a and (b or c)": "a", "not a": ""} {
		f, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range f.Conditions() {
			if h, ok := n.(has); ok {
				got = append(got, string(h))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a b": "'b' at character 3 is not expected", "(a": "')' is expected at character 3 instead of 'the end'", "'a": "has no end",
		"a and": "no field: the end", "\xff": "not UTF-8", strings.Repeat("(", 100): "nested more than", strings.Repeat("a", 5000): "longer than",
	} {
		_, err := parse(text)
		var bad *odata.Error
		if !errors.As(err, &bad) || !strings.Contains(bad.Problem, want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a and not (b or 'c''d')")
	f.Add("((a")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parse(text); err == nil {
			n.Matches(nil)
		}
	})
}
