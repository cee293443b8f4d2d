package graph

import (
	"strings"

	"github.com/drydockhq/drydock/internal/odata"
)

// listQuery is what the query of a URL asks for.
type listQuery struct {
	filter odata.Filter
	fields []string // of $select; all if there are none
	top    int
	count  bool
	after  string // the id of the last object that was shown before
	last   string // the id of the last object of this page
}

// The options of queries. Others are refused, since leaving them out would give
// an answer to another question.
var (
	showOptions = []string{"$select"}
	listOptions = []string{"$select", "$filter", "$top", "$count", "$skiptoken"}
)

func (req *request) options(known []string) error {
	for name := range req.query {
		if strings.HasPrefix(name, "$") && !contains(known, name) {
			return badRequest("Request_UnsupportedQuery", "The option '%s' is not part of this server; %s are.", shorten(name), strings.Join(known, ", "))
		}
	}
	return nil
}

func contains(list []string, name string) bool {
	for _, known := range list {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// option returns a value of the query, whose names are compared without regard
// to case.
func (req *request) option(name string) string {
	for given, values := range req.query {
		if strings.EqualFold(given, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func (req *request) showQuery() (*listQuery, error) {
	return &listQuery{fields: req.selected()}, req.options(showOptions)
}

func (req *request) listQuery(c collection) (*listQuery, error) {
	if err := req.options(listOptions); err != nil {
		return nil, err
	}
	f, err := parseFilter(req.option("$filter"), c.fields)
	if err != nil {
		return nil, err
	}
	top, err := topOf(req.option("$top"))
	return &listQuery{
		filter: f, top: top, fields: req.selected(), after: req.option("$skiptoken"),
		count: strings.EqualFold(req.option("$count"), "true"),
	}, err
}

func (req *request) selected() []string {
	return strings.FieldsFunc(req.option("$select"), func(r rune) bool { return r == ',' || r == ' ' })
}

// pick leaves of a document what is asked for.
func (q *listQuery) pick(doc object) object {
	if len(q.fields) == 0 {
		return doc
	}
	picked := object{}
	for key, value := range doc {
		if contains(q.fields, key) || strings.HasPrefix(key, "@") {
			picked[key] = value
		}
	}
	return picked
}
