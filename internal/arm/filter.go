package arm

import (
	"strconv"
	"strings"
	"time"

	"github.com/drydockhq/drydock/internal/odata"
)

// filterKind is the type of a field that can be filtered by.
type filterKind int

const (
	filterText filterKind = iota
	filterTime
	filterBool
)

// filterField is a field that can be filtered by.
type filterField struct {
	kind filterKind
	enum []string // what a text may be; empty for any
}

// filterRecord holds the values of something by the fields' names in lower case.
// Times are in RFC 3339. A field with several values matches if one does; one
// without a value matches "ne" only.
type filterRecord = odata.Record

// filter is a parsed $filter: the part of OData 4's language that Azure's
// clients use, comparisons of a field with a value, contains, startswith, and,
// or, not.
type filter struct{ odata.Filter }

// filterCompare is "field op value" or "op(field, value)".
type filterCompare struct {
	field string // in lower case
	kind  filterKind
	op    string
	value string // a time in RFC 3339
}

// Matches implements odata.Node.
func (n filterCompare) Matches(r filterRecord) bool {
	if n.op == "ne" {
		n.op = "eq"
		return !n.Matches(r)
	}
	for _, v := range r[n.field] {
		if n.holds(v) {
			return true
		}
	}
	return false
}

func (n filterCompare) holds(v string) bool {
	if n.kind == filterTime {
		return n.timeHolds(v)
	}
	low, want := strings.ToLower(v), strings.ToLower(n.value)
	switch n.op {
	case "eq":
		return low == want
	case "contains":
		return strings.Contains(low, want)
	case "startswith":
		return strings.HasPrefix(low, want)
	}
	return false
}

func (n filterCompare) timeHolds(v string) bool {
	got, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return false
	}
	want, err := time.Parse(time.RFC3339Nano, n.value)
	if err != nil {
		return false
	}
	switch c := got.Compare(want); n.op {
	case "eq":
		return c == 0
	case "gt":
		return c > 0
	case "ge":
		return c >= 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	}
	return false
}

// conditions returns the comparisons that all hold for whatever the filter
// selects.
func (f *filter) conditions() []filterCompare {
	var all []filterCompare
	for _, n := range f.Conditions() {
		if c, ok := n.(filterCompare); ok {
			all = append(all, c)
		}
	}
	return all
}

// equals returns the value that a field must have.
func (f *filter) equals(field string) (string, bool) {
	for _, c := range f.conditions() {
		if c.field == field && c.op == "eq" {
			return c.value, true
		}
	}
	return "", false
}

// parseFilter parses a $filter over some fields, whose names are in lower case.
// An empty one selects all.
func parseFilter(s string, fields map[string]filterField) (*filter, error) {
	p := &filterParser{fields: fields}
	parsed, err := odata.Parse(s, "(),", func(o *odata.Parser, _ int) (odata.Node, error) {
		p.Parser = o
		return p.comparison()
	})
	if err != nil {
		return nil, badRequest("InvalidFilter", "The value of $filter can't be understood: %v.", err).about("$filter")
	}
	return &filter{parsed}, nil
}

// value checks a literal against the field that it is compared with.
func (f filterField) value(name string, t odata.Token) (string, error) {
	switch f.kind {
	case filterTime:
		if when, err := time.Parse(time.RFC3339Nano, t.Text); err == nil && t.Kind != odata.Symbol {
			return when.UTC().Format(time.RFC3339Nano), nil
		}
		return "", odata.Errorf("'%s' is compared with '%s', which is not a time such as 2024-01-31T12:00:00Z", name, shorten(t.Text))
	case filterBool:
		if b, err := strconv.ParseBool(strings.ToLower(t.Text)); err == nil && len(t.Text) > 1 {
			return strconv.FormatBool(b), nil
		}
		return "", odata.Errorf("'%s' is compared with '%s', which is neither true nor false", name, shorten(t.Text))
	}
	if t.Kind != odata.String {
		return "", odata.Errorf("'%s' is compared with '%s', which is not a text in single quotes", name, shorten(t.Text))
	}
	for _, e := range f.enum {
		if strings.EqualFold(e, t.Text) {
			return e, nil
		}
	}
	if len(f.enum) > 0 {
		return "", odata.Errorf("'%s' can't be '%s': it is one of %s", name, shorten(t.Text), strings.Join(f.enum, ", "))
	}
	return t.Text, nil
}
