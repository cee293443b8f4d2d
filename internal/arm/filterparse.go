package arm

import (
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a name, an operator, a number, a time
	tokenString           // in single quotes; '' is one
	tokenSymbol           // ( ) ,
)

type filterToken struct {
	kind tokenKind
	text string
	at   int // from 1, in bytes
}

func scanFilter(s string) ([]filterToken, error) {
	if !utf8.ValidString(s) {
		return nil, badFilter("it is not UTF-8")
	}
	var tokens []filterToken
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			i++
		case strings.IndexByte("(),", c) >= 0:
			tokens = append(tokens, filterToken{tokenSymbol, string(c), i + 1})
			i++
		case c == '\'':
			text, size, ok := scanQuoted(s[i:])
			if !ok {
				return nil, badFilter("the text that begins at character %d has no end", i+1)
			}
			tokens = append(tokens, filterToken{tokenString, text, i + 1})
			i += size
		default:
			size := strings.IndexAny(s[i:], " \t(),'")
			if size < 0 {
				size = len(s) - i
			}
			tokens = append(tokens, filterToken{tokenWord, s[i : i+size], i + 1})
			i += size
		}
	}
	return append(tokens, filterToken{tokenEnd, "the end", len(s) + 1}), nil
}

// scanQuoted reads a text that begins with a quote, and returns its size with
// its quotes.
func scanQuoted(s string) (text string, size int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != '\'' {
			return b.String(), i + 1, true
		}
		b.WriteByte('\'')
		i++
	}
	return "", 0, false
}

// filterParser is a recursive descent parser. "and" binds closer than "or".
type filterParser struct {
	tokens []filterToken
	fields map[string]filterField
}

func (p *filterParser) peek() filterToken { return p.tokens[0] }

func (p *filterParser) take() filterToken {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// word takes a word if it is next.
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
	return p.comparison()
}

func (p *filterParser) comparison() (filterNode, error) {
	t := p.take()
	if t.kind != tokenWord {
		return nil, badFilter("a field is expected at character %d instead of '%s'", t.at, shorten(t.text))
	}
	if next := p.peek(); next.kind == tokenSymbol && next.text == "(" {
		return p.function(strings.ToLower(t.text), t)
	}
	name, field, err := p.field(t)
	if err != nil {
		return nil, err
	}
	op := p.take()
	word := strings.ToLower(op.text)
	switch {
	case op.kind == tokenWord && (word == "eq" || word == "ne"):
	case op.kind == tokenWord && field.kind == filterTime && (word == "gt" || word == "ge" || word == "lt" || word == "le"):
	default:
		return nil, badFilter("'%s' at character %d is not a comparison that '%s' knows", shorten(op.text), op.at, t.text)
	}
	value, err := p.literal(t.text, field)
	return filterCompare{name, field.kind, word, value}, err
}

// function parses contains(field,'text'), startswith(field,'text') and OData 3's
// substringof('text',field).
func (p *filterParser) function(name string, at filterToken) (filterNode, error) {
	if name != "contains" && name != "startswith" && name != "substringof" {
		return nil, badFilter("there is no function '%s'", shorten(at.text))
	}
	p.take()
	first, err := p.take(), p.symbol(",")
	if err != nil {
		return nil, err
	}
	second, err := p.take(), p.symbol(")")
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
	if field.kind != filterText || second.kind != tokenString {
		return nil, badFilter("'%s' compares a text with one in single quotes", name)
	}
	return filterCompare{key, filterText, name, second.text}, nil
}

// field looks a field up.
func (p *filterParser) field(t filterToken) (string, filterField, error) {
	key := strings.ToLower(t.text)
	if f, ok := p.fields[key]; ok && t.kind == tokenWord {
		return key, f, nil
	}
	return "", filterField{}, badFilter("there is no field '%s' to filter by", shorten(t.text))
}

// literal takes a value: a text, a word, or datetime'…' of OData 3.
func (p *filterParser) literal(name string, f filterField) (string, error) {
	t := p.take()
	if t.kind == tokenWord && strings.EqualFold(t.text, "datetime") && p.peek().kind == tokenString {
		t = p.take()
	}
	if t.kind == tokenEnd || t.kind == tokenSymbol {
		return "", badFilter("a value is expected at character %d", t.at)
	}
	return f.value(name, t)
}
