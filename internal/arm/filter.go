package arm

import (
	"strconv"
	"strings"
	"time"
)

// maxFilter and maxFilterDepth bound what is parsed.
const (
	maxFilter      = 4096
	maxFilterDepth = 24
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
type filterRecord map[string][]string

// filter is a parsed $filter: the part of OData 4's language that Azure's
// clients use, comparisons of a field with a value, contains, startswith, and,
// or, not.
type filter struct{ root filterNode }

type filterNode interface{ matches(r filterRecord) bool }

type (
	filterAnd struct{ left, right filterNode }
	filterOr  struct{ left, right filterNode }
	filterNot struct{ of filterNode }
	// filterCompare is "field op value" or "op(field, value)".
	filterCompare struct {
		field string // in lower case
		kind  filterKind
		op    string
		value string // a time in RFC 3339
	}
)

func (n filterAnd) matches(r filterRecord) bool { return n.left.matches(r) && n.right.matches(r) }
func (n filterOr) matches(r filterRecord) bool  { return n.left.matches(r) || n.right.matches(r) }
func (n filterNot) matches(r filterRecord) bool { return !n.of.matches(r) }

func (n filterCompare) matches(r filterRecord) bool {
	if n.op == "ne" {
		n.op = "eq"
		return !n.matches(r)
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

// matches reports whether a filter selects something.
func (f *filter) matches(r filterRecord) bool { return f.root == nil || f.root.matches(r) }

// conditions returns the comparisons that all hold for whatever the filter
// selects.
func (f *filter) conditions() []filterCompare {
	var all []filterCompare
	var walk func(n filterNode)
	walk = func(n filterNode) {
		switch n := n.(type) {
		case filterAnd:
			walk(n.left)
			walk(n.right)
		case filterCompare:
			all = append(all, n)
		}
	}
	if f.root != nil {
		walk(f.root)
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
	if strings.TrimSpace(s) == "" {
		return &filter{}, nil
	}
	if len(s) > maxFilter {
		return nil, badFilter("it is longer than %d characters", maxFilter)
	}
	tokens, err := scanFilter(s)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens, fields: fields}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, badFilter("'%s' at character %d is not expected", shorten(t.text), t.at)
	}
	return &filter{root}, nil
}

func badFilter(format string, args ...any) *apiError {
	e := badRequest("InvalidFilter", "The value of $filter can't be understood: "+format+".", args...)
	return e.about("$filter")
}

// value checks a literal against the field that it is compared with.
func (f filterField) value(name string, t filterToken) (string, error) {
	switch f.kind {
	case filterTime:
		if when, err := time.Parse(time.RFC3339Nano, t.text); err == nil && t.kind != tokenSymbol {
			return when.UTC().Format(time.RFC3339Nano), nil
		}
		return "", badFilter("'%s' is compared with '%s', which is not a time such as 2024-01-31T12:00:00Z", name, shorten(t.text))
	case filterBool:
		if b, err := strconv.ParseBool(strings.ToLower(t.text)); err == nil && len(t.text) > 1 {
			return strconv.FormatBool(b), nil
		}
		return "", badFilter("'%s' is compared with '%s', which is neither true nor false", name, shorten(t.text))
	}
	if t.kind != tokenString {
		return "", badFilter("'%s' is compared with '%s', which is not a text in single quotes", name, shorten(t.text))
	}
	for _, e := range f.enum {
		if strings.EqualFold(e, t.text) {
			return e, nil
		}
	}
	if len(f.enum) > 0 {
		return "", badFilter("'%s' can't be '%s': it is one of %s", name, shorten(t.text), strings.Join(f.enum, ", "))
	}
	return t.text, nil
}
