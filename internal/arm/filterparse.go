package arm

import (
	"strings"

	"github.com/drydockhq/drydock/internal/odata"
)

// filterParser parses the conditions of a filter.
type filterParser struct {
	*odata.Parser
	fields map[string]filterField
}

func (p *filterParser) comparison() (odata.Node, error) {
	t := p.Take()
	if t.Kind != odata.Word {
		return nil, odata.Errorf("a field is expected at character %d instead of '%s'", t.At, shorten(t.Text))
	}
	if next := p.Peek(); next.Kind == odata.Symbol && next.Text == "(" {
		return p.function(strings.ToLower(t.Text), t)
	}
	name, field, err := p.field(t)
	if err != nil {
		return nil, err
	}
	op := p.Take()
	word := strings.ToLower(op.Text)
	switch {
	case op.Kind == odata.Word && (word == "eq" || word == "ne"):
	case op.Kind == odata.Word && field.kind == filterTime && (word == "gt" || word == "ge" || word == "lt" || word == "le"):
	default:
		return nil, odata.Errorf("'%s' at character %d is not a comparison that '%s' knows", shorten(op.Text), op.At, t.Text)
	}
	value, err := p.literal(t.Text, field)
	return filterCompare{name, field.kind, word, value}, err
}

// function parses contains(field,'text'), startswith(field,'text') and OData 3's
// substringof('text',field).
func (p *filterParser) function(name string, at odata.Token) (odata.Node, error) {
	if name != "contains" && name != "startswith" && name != "substringof" {
		return nil, odata.Errorf("there is no function '%s'", shorten(at.Text))
	}
	p.Take()
	first, err := p.Take(), p.Symbol(",")
	if err != nil {
		return nil, err
	}
	second, err := p.Take(), p.Symbol(")")
	if err != nil {
		return nil, err
	}
	if name == "substringof" {
		name, first, second = "contains", second, first
	}
	key, field, err := p.field(first)
	if err != nil {
		return nil, err
	}
	if field.kind != filterText || second.Kind != odata.String {
		return nil, odata.Errorf("'%s' compares a text with one in single quotes", name)
	}
	return filterCompare{key, filterText, name, second.Text}, nil
}

// field looks a field up.
func (p *filterParser) field(t odata.Token) (string, filterField, error) {
	key := strings.ToLower(t.Text)
	if f, ok := p.fields[key]; ok && t.Kind == odata.Word {
		return key, f, nil
	}
	return "", filterField{}, odata.Errorf("there is no field '%s' to filter by", shorten(t.Text))
}

// literal takes a value: a text, a word, or datetime'…' of OData 3.
func (p *filterParser) literal(name string, f filterField) (string, error) {
	t := p.Take()
	if t.Kind == odata.Word && strings.EqualFold(t.Text, "datetime") && p.Peek().Kind == odata.String {
		t = p.Take()
	}
	if t.Kind == odata.End || t.Kind == odata.Symbol {
		return "", odata.Errorf("a value is expected at character %d", t.At)
	}
	return f.value(name, t)
}
