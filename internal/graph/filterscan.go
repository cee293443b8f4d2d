package graph

import (
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a name, an operator, true, a GUID
	tokenString           // in single quotes; '' is one
	tokenSymbol           // ( ) , :
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
		case strings.IndexByte("(),:", c) >= 0:
			tokens = append(tokens, filterToken{tokenSymbol, string(c), i + 1})
			i++
		case c == '\'':
			text, size, closed := scanQuoted(s[i:])
			if !closed {
				return nil, badFilter("the text that begins at character %d has no end", i+1)
			}
			tokens = append(tokens, filterToken{tokenString, text, i + 1})
			i += size
		default:
			size := strings.IndexAny(s[i:], " \t(),:'")
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
