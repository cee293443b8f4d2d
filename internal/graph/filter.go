package graph

import "strings"

// maxFilter and maxFilterDepth bound what is parsed.
const (
	maxFilter      = 4096
	maxFilterDepth = 24
)

// filterField is a field that can be filtered by.
type filterField struct {
	list bool // has several values: "names/any(n:n eq 'x')"
}

// filterRecord holds the values of an object by the fields' names in lower case.
type filterRecord map[string][]string

// filter is a parsed $filter: the part of OData 4's language that clients use
// for applications and service principals. Texts are compared without regard to
// case, as by Graph.
type filter struct{ root filterNode }

type filterNode interface{ matches(r filterRecord) bool }

type (
	filterAnd struct{ left, right filterNode }
	filterOr  struct{ left, right filterNode }
	filterNot struct{ of filterNode }
	// filterCompare is "field op value" or "op(field, value)"; it holds if it
	// does for one of the field's values.
	filterCompare struct {
		field  string
		op     string   // eq, startswith, endswith, contains
		values []string // in lower case, one of which is enough
	}
)

func (n filterAnd) matches(r filterRecord) bool { return n.left.matches(r) && n.right.matches(r) }
func (n filterOr) matches(r filterRecord) bool  { return n.left.matches(r) || n.right.matches(r) }
func (n filterNot) matches(r filterRecord) bool { return !n.of.matches(r) }

func (n filterCompare) matches(r filterRecord) bool {
	for _, have := range r[n.field] {
		for _, want := range n.values {
			if holds(n.op, strings.ToLower(have), want) {
				return true
			}
		}
	}
	return false
}

func holds(op, have, want string) bool {
	switch op {
	case "startswith":
		return strings.HasPrefix(have, want)
	case "endswith":
		return strings.HasSuffix(have, want)
	case "contains":
		return strings.Contains(have, want)
	}
	return have == want
}

// matches reports whether a filter selects something.
func (f *filter) matches(r filterRecord) bool { return f.root == nil || f.root.matches(r) }

// all reports that there is no filter.
func (f *filter) all() bool { return f.root == nil }

// parseFilter parses a $filter over some fields, whose names are in lower case.
// An empty one selects all.
func parseFilter(text string, fields map[string]filterField) (*filter, error) {
	if strings.TrimSpace(text) == "" {
		return &filter{}, nil
	}
	if len(text) > maxFilter {
		return nil, badFilter("it is longer than %d characters", maxFilter)
	}
	tokens, err := scanFilter(text)
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
	return badRequest("Request_UnsupportedQuery", "The value of $filter can't be understood: "+format+".", args...)
}
