// Package odata parses the $filter of OData 4: its tokens, and how conditions
// are joined. What a condition may be is for those who have fields.
package odata

import (
	"fmt"
	"strings"
)

// The bounds of what is parsed.
const (
	maxLength = 4096 // in bytes
	maxDepth  = 24
)

// Record holds the values of something by the fields' names in lower case.
type Record map[string][]string

// Node is a condition, or several that are joined.
type Node interface{ Matches(r Record) bool }

// How conditions are joined.
type (
	And struct{ Left, Right Node }
	Or  struct{ Left, Right Node }
	Not struct{ Of Node }
)

// Matches implements Node.
func (n And) Matches(r Record) bool { return n.Left.Matches(r) && n.Right.Matches(r) }

// Matches implements Node.
func (n Or) Matches(r Record) bool { return n.Left.Matches(r) || n.Right.Matches(r) }

// Matches implements Node.
func (n Not) Matches(r Record) bool { return !n.Of.Matches(r) }

// Error says what is wrong with a filter, as the end of a sentence.
type Error struct{ Problem string }

// Error returns the problem.
func (e *Error) Error() string { return e.Problem }

// Errorf returns an *Error.
func Errorf(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Filter is a parsed $filter. The zero Filter selects all.
type Filter struct{ root Node }

// Matches reports whether the filter selects something.
func (f Filter) Matches(r Record) bool { return f.root == nil || f.root.Matches(r) }

// All reports that there is no filter.
func (f Filter) All() bool { return f.root == nil }

// Conditions returns those that all hold for whatever the filter selects.
func (f Filter) Conditions() []Node { return conditions(f.root) }

func conditions(n Node) []Node {
	switch n := n.(type) {
	case nil:
		return nil
	case And:
		return append(conditions(n.Left), conditions(n.Right)...)
	}
	return []Node{n}
}

// Condition parses one condition, nested so deep, of what comes next.
type Condition func(p *Parser, depth int) (Node, error)

// Parse parses a filter; an empty text selects all. symbols are the characters that
// are tokens of their own. Errors are *Error, or those of condition.
func Parse(text, symbols string, condition Condition) (Filter, error) {
	root, err := parse(text, symbols, condition)
	return Filter{root}, err
}

func parse(text, symbols string, condition Condition) (Node, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxLength {
		return nil, Errorf("it is longer than %d characters", maxLength)
	}
	tokens, err := scan(text, symbols)
	if err != nil {
		return nil, err
	}
	p := &Parser{tokens: tokens, condition: condition}
	root, err := p.Or(0)
	if err != nil {
		return nil, err
	}
	if t := p.Peek(); t.Kind != End {
		return nil, Errorf("'%s' at character %d is not expected", Shorten(t.Text), t.At)
	}
	return root, nil
}

// Shorten cuts a text for a message.
func Shorten(s string) string {
	if runes := []rune(s); len(runes) > 120 {
		return string(runes[:120]) + "…"
	}
	return s
}
