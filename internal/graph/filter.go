package graph

import (
	"strings"

	"github.com/drydockhq/drydock/internal/odata"
)

// filterField is a field that can be filtered by.
type filterField struct {
	list bool // has several values: "names/any(n:n eq 'x')"
}

// filterRecord holds the values of an object by the fields' names in lower case.
type filterRecord = odata.Record

// filterCompare is "field op value" or "op(field, value)"; it holds if it
// does for one of the field's values.
type filterCompare struct {
	field  string
	op     string   // eq, startswith, endswith, contains
	values []string // in lower case, one of which is enough
}

// Matches implements odata.Node.
func (n filterCompare) Matches(r filterRecord) bool {
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

// parseFilter parses a $filter over some fields, whose names are in lower case: the
// part of OData 4's language that clients use for applications and service
// principals. Texts are compared without regard to case, as by Graph.
func parseFilter(text string, fields map[string]filterField) (odata.Filter, error) {
	p := &filterParser{fields: fields}
	f, err := odata.Parse(text, "(),:", func(o *odata.Parser, depth int) (odata.Node, error) {
		p.Parser = o
		return p.comparison(depth)
	})
	if err != nil {
		return odata.Filter{}, badRequest("Request_UnsupportedQuery", "The value of $filter can't be understood: %v.", err)
	}
	return f, nil
}
