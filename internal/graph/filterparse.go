package graph

import (
	"strings"

	"github.com/drydockhq/drydock/internal/odata"
)

// filterParser parses the conditions of a filter.
type filterParser struct {
	*odata.Parser
	fields map[string]filterField
	// variable is the name that the values of a field have within any(), and
	// field that field.
	variable, field string
}

// comparison parses "field eq value", "field in (value, …)", a function of a
// field, or any() of a list.
func (p *filterParser) comparison(depth int) (odata.Node, error) {
	t := p.Take()
	if t.Kind != odata.Word {
		return nil, odata.Errorf("a field is expected at character %d instead of '%s'", t.At, shorten(t.Text))
	}
	if next := p.Peek(); next.Kind == odata.Symbol && next.Text == "(" {
		p.Take()
		if list, isAny := cutSuffixFold(t.Text, "/any"); isAny {
			return p.anyOf(list, depth)
		}
		return p.function(t)
	}
	name, err := p.fieldOf(t)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Word("eq"):
		value, err := p.literal()
		return filterCompare{name, "eq", []string{value}}, err
	case p.Word("ne"):
		value, err := p.literal()
		return odata.Not{Of: filterCompare{name, "eq", []string{value}}}, err
	case p.Word("in"):
		values, err := p.literals()
		return filterCompare{name, "eq", values}, err
	}
	op := p.Take()
	return nil, odata.Errorf("'%s' at character %d is not a comparison that '%s' knows", shorten(op.Text), op.At, shorten(t.Text))
}

// anyOf parses what is in "list/any(v:…)".
func (p *filterParser) anyOf(list string, depth int) (odata.Node, error) {
	key := strings.ToLower(list)
	if f, known := p.fields[key]; !known || !f.list || p.variable != "" {
		return nil, odata.Errorf("there is no list '%s' to filter by", shorten(list))
	}
	name := p.Take()
	if err := p.Symbol(":"); err != nil {
		return nil, err
	}
	p.variable, p.field = name.Text, key
	n, err := p.Or(depth + 1)
	p.variable, p.field = "", ""
	if err != nil {
		return nil, err
	}
	return n, p.Symbol(")")
}

// function parses startswith(field,'text') and its like.
func (p *filterParser) function(t odata.Token) (odata.Node, error) {
	name := strings.ToLower(t.Text)
	if name != "startswith" && name != "endswith" && name != "contains" {
		return nil, odata.Errorf("there is no function '%s'", shorten(t.Text))
	}
	field, err := p.fieldOf(p.Take())
	if err != nil {
		return nil, err
	}
	if err := p.Symbol(","); err != nil {
		return nil, err
	}
	value, err := p.literal()
	if err != nil {
		return nil, err
	}
	return filterCompare{field, name, []string{value}}, p.Symbol(")")
}

// fieldOf looks a field up. Within any() there is only the variable.
func (p *filterParser) fieldOf(t odata.Token) (string, error) {
	key := strings.ToLower(t.Text)
	f, known := p.fields[key]
	switch {
	case t.Kind != odata.Word:
	case p.variable != "" && t.Text == p.variable:
		return p.field, nil
	case p.variable == "" && known && !f.list:
		return key, nil
	case p.variable == "" && known:
		return "", odata.Errorf("'%s' is a list: %[1]s/any(x:x eq 'value')", shorten(t.Text))
	}
	return "", odata.Errorf("there is no field '%s' to filter by", shorten(t.Text))
}

// literal takes a value, and returns it in lower case.
func (p *filterParser) literal() (string, error) {
	t := p.Take()
	if t.Kind != odata.String && t.Kind != odata.Word {
		return "", odata.Errorf("a value is expected at character %d", t.At)
	}
	return strings.ToLower(t.Text), nil
}

func (p *filterParser) literals() ([]string, error) {
	if err := p.Symbol("("); err != nil {
		return nil, err
	}
	var values []string
	for {
		value, err := p.literal()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if t := p.Peek(); t.Kind != odata.Symbol || t.Text != "," {
			return values, p.Symbol(")")
		}
		p.Take()
	}
}

func cutSuffixFold(s, suffix string) (string, bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return s, false
	}
	return s[:at], true
}
