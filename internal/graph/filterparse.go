package graph

import "strings"

// filterParser is a recursive descent parser. "and" binds closer than "or".
type filterParser struct {
	tokens []filterToken
	fields map[string]filterField
	// variable is the name that the values of a field have within any(), and
	// field that field.
	variable, field string
}

func (p *filterParser) peek() filterToken { return p.tokens[0] }

// take returns the next token; the last is returned again and again.
func (p *filterParser) take() filterToken {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *filterParser) word(w string) bool {
	if t := p.peek(); t.kind == tokenWord && strings.EqualFold(t.text, w) {
		p.take()
		return true
	}
	return false
}

func (p *filterParser) symbol(s string) error {
	if t := p.take(); t.kind != tokenSymbol || t.text != s {
		return badFilter("'%s' is expected at character %d instead of '%s'", s, t.at, shorten(t.text))
	}
	return nil
}

func (p *filterParser) or(depth int) (filterNode, error) {
	left, err := p.and(depth)
	for err == nil && p.word("or") {
		var right filterNode
		if right, err = p.and(depth); err == nil {
			left = filterOr{left, right}
		}
	}
	return left, err
}

func (p *filterParser) and(depth int) (filterNode, error) {
	left, err := p.unary(depth)
	for err == nil && p.word("and") {
		var right filterNode
		if right, err = p.unary(depth); err == nil {
			left = filterAnd{left, right}
		}
	}
	return left, err
}

func (p *filterParser) unary(depth int) (filterNode, error) {
	if depth > maxFilterDepth {
		return nil, badFilter("it is nested more than %d deep", maxFilterDepth)
	}
	if p.word("not") {
		of, err := p.unary(depth + 1)
		return filterNot{of}, err
	}
	if t := p.peek(); t.kind == tokenSymbol && t.text == "(" {
		p.take()
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		return n, p.symbol(")")
	}
	return p.comparison(depth)
}

// comparison parses "field eq value", "field in (value, …)", a function of a
// field, or any() of a list.
func (p *filterParser) comparison(depth int) (filterNode, error) {
	t := p.take()
	if t.kind != tokenWord {
		return nil, badFilter("a field is expected at character %d instead of '%s'", t.at, shorten(t.text))
	}
	if next := p.peek(); next.kind == tokenSymbol && next.text == "(" {
		p.take()
		if list, isAny := cutSuffixFold(t.text, "/any"); isAny {
			return p.anyOf(list, depth)
		}
		return p.function(t)
	}
	name, err := p.fieldOf(t)
	if err != nil {
		return nil, err
	}
	switch {
	case p.word("eq"):
		value, err := p.literal()
		return filterCompare{name, "eq", []string{value}}, err
	case p.word("ne"):
		value, err := p.literal()
		return filterNot{filterCompare{name, "eq", []string{value}}}, err
	case p.word("in"):
		values, err := p.literals()
		return filterCompare{name, "eq", values}, err
	}
	op := p.take()
	return nil, badFilter("'%s' at character %d is not a comparison that '%s' knows", shorten(op.text), op.at, shorten(t.text))
}

// anyOf parses what is in "list/any(v:…)".
func (p *filterParser) anyOf(list string, depth int) (filterNode, error) {
	key := strings.ToLower(list)
	if f, known := p.fields[key]; !known || !f.list || p.variable != "" {
		return nil, badFilter("there is no list '%s' to filter by", shorten(list))
	}
	name := p.take()
	if err := p.symbol(":"); err != nil {
		return nil, err
	}
	p.variable, p.field = name.text, key
	n, err := p.or(depth + 1)
	p.variable, p.field = "", ""
	if err != nil {
		return nil, err
	}
	return n, p.symbol(")")
}

// function parses startswith(field,'text') and its like.
func (p *filterParser) function(t filterToken) (filterNode, error) {
	name := strings.ToLower(t.text)
	if name != "startswith" && name != "endswith" && name != "contains" {
		return nil, badFilter("there is no function '%s'", shorten(t.text))
	}
	field, err := p.fieldOf(p.take())
	if err != nil {
		return nil, err
	}
	if err := p.symbol(","); err != nil {
		return nil, err
	}
	value, err := p.literal()
	if err != nil {
		return nil, err
	}
	return filterCompare{field, name, []string{value}}, p.symbol(")")
}

// fieldOf looks a field up. Within any() there is only the variable.
func (p *filterParser) fieldOf(t filterToken) (string, error) {
	key := strings.ToLower(t.text)
	f, known := p.fields[key]
	switch {
	case t.kind != tokenWord:
	case p.variable != "" && t.text == p.variable:
		return p.field, nil
	case p.variable == "" && known && !f.list:
		return key, nil
	case p.variable == "" && known:
		return "", badFilter("'%s' is a list: %[1]s/any(x:x eq 'value')", shorten(t.text))
	}
	return "", badFilter("there is no field '%s' to filter by", shorten(t.text))
}

// literal takes a value, and returns it in lower case.
func (p *filterParser) literal() (string, error) {
	t := p.take()
	if t.kind != tokenString && t.kind != tokenWord {
		return "", badFilter("a value is expected at character %d", t.at)
	}
	return strings.ToLower(t.text), nil
}

func (p *filterParser) literals() ([]string, error) {
	if err := p.symbol("("); err != nil {
		return nil, err
	}
	var values []string
	for {
		value, err := p.literal()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if t := p.peek(); t.kind != tokenSymbol || t.text != "," {
			return values, p.symbol(")")
		}
		p.take()
	}
}

func cutSuffixFold(s, suffix string) (string, bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return s, false
	}
	return s[:at], true
}
