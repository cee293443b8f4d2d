package odata

import "strings"

// Parser is a recursive descent parser. "and" binds closer than "or".
type Parser struct {
	tokens    []Token
	condition Condition
}

// Peek returns the next token.
func (p *Parser) Peek() Token { return p.tokens[0] }

// Take returns the next token and goes on; the last is returned again and again.
func (p *Parser) Take() Token {
	t := p.tokens[0]
	if t.Kind != End {
		p.tokens = p.tokens[1:]
	}
	return t
}

// Word takes a word if it is next, without regard to case.
func (p *Parser) Word(w string) bool {
	if t := p.Peek(); t.Kind == Word && strings.EqualFold(t.Text, w) {
		p.Take()
		return true
	}
	return false
}

// Symbol takes a symbol, which must be next.
func (p *Parser) Symbol(s string) error {
	if t := p.Take(); t.Kind != Symbol || t.Text != s {
		return Errorf("'%s' is expected at character %d instead of '%s'", s, t.At, Shorten(t.Text))
	}
	return nil
}

// Or parses conditions that are joined in any way, nested so deep.
func (p *Parser) Or(depth int) (Node, error) {
	left, err := p.and(depth)
	for err == nil && p.Word("or") {
		var right Node
		if right, err = p.and(depth); err == nil {
			left = Or{left, right}
		}
	}
	return left, err
}

func (p *Parser) and(depth int) (Node, error) {
	left, err := p.unary(depth)
	for err == nil && p.Word("and") {
		var right Node
		if right, err = p.unary(depth); err == nil {
			left = And{left, right}
		}
	}
	return left, err
}

func (p *Parser) unary(depth int) (Node, error) {
	if depth > maxDepth {
		return nil, Errorf("it is nested more than %d deep", maxDepth)
	}
	if p.Word("not") {
		of, err := p.unary(depth + 1)
		return Not{of}, err
	}
	if t := p.Peek(); t.Kind == Symbol && t.Text == "(" {
		p.Take()
		n, err := p.Or(depth + 1)
		if err != nil {
			return nil, err
		}
		return n, p.Symbol(")")
	}
	return p.condition(p, depth)
}
