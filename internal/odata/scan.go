package odata

import (
	"strings"
	"unicode/utf8"
)

// Kind is what a token is.
type Kind int

// The kinds of tokens.
const (
	End    Kind = iota
	Word        // a name, an operator, a number, a time
	String      // in single quotes; '' is one
	Symbol
)

// Token is a piece of a filter.
type Token struct {
	Kind Kind
	Text string
	At   int // from 1, in bytes
}

func scan(s, symbols string) ([]Token, error) {
	if !utf8.ValidString(s) {
		return nil, Errorf("it is not UTF-8")
	}
	var tokens []Token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			i++
		case strings.IndexByte(symbols, c) >= 0:
			tokens = append(tokens, Token{Symbol, string(c), i + 1})
			i++
		case c == '\'':
			text, size, closed := scanQuoted(s[i:])
			if !closed {
				return nil, Errorf("the text that begins at character %d has no end", i+1)
			}
			tokens = append(tokens, Token{String, text, i + 1})
			i += size
		default:
			size := strings.IndexAny(s[i:], " \t'"+symbols)
			if size < 0 {
				size = len(s) - i
			}
			tokens = append(tokens, Token{Word, s[i : i+size], i + 1})
			i += size
		}
	}
	return append(tokens, Token{End, "the end", len(s) + 1}), nil
}

// scanQuoted reads a text that begins with a quote, and returns its size with
// its quotes.
func scanQuoted(s string) (text string, size int, closed bool) {
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
