package shell

import (
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// piece is a part of an expanded word.
type piece struct {
	text   string
	quoted bool // was quoted: makes a field even when empty, and is literal in a pattern
	split  bool // is split at blanks
}

// anyEscape is the set of characters that a backslash quotes outside quotes:
// all of them.
const anyEscape = ""

// unescape removes the backslashes that quote one of the given characters, or
// any character for anyEscape. A backslash at the end stays.
func unescape(s, escapable string) []piece {
	var out []piece
	from := 0
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '\\' || (escapable != anyEscape && strings.IndexByte(escapable, s[i+1]) < 0) {
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i+1:])
		if from < i {
			out = append(out, piece{text: s[from:i]})
		}
		out = append(out, piece{text: s[i+1 : i+1+size], quoted: true})
		i += size
		from = i + 1
	}
	if from < len(s) {
		out = append(out, piece{text: s[from:]})
	}
	return out
}

// join returns the pieces as one string.
func join(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

// splitFields splits pieces at the blanks of those that are to be split.
func splitFields(pieces []piece) []string {
	var (
		fields []string
		cur    strings.Builder
		open   bool // cur is a field, even if empty
	)
	flush := func() {
		if open {
			fields = append(fields, cur.String())
		}
		cur.Reset()
		open = false
	}
	for _, p := range pieces {
		if !p.split {
			cur.WriteString(p.text)
			open = open || p.quoted || p.text != ""
			continue
		}
		for i, word := range strings.FieldsFunc(p.text, isBlank) {
			if i > 0 || startsBlank(p.text) {
				flush()
			}
			cur.WriteString(word)
			open = true
		}
		if endsBlank(p.text) {
			flush()
		}
	}
	flush()
	return fields
}

// isBlank reports whether r is in the default IFS.
func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

func startsBlank(s string) bool { return s != "" && isBlank(rune(s[0])) }

func endsBlank(s string) bool { return s != "" && isBlank(rune(s[len(s)-1])) }

// literal returns the value of a word that depends on no variable.
func literal(w *syntax.Word) (string, bool) {
	var b strings.Builder
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(join(unescape(p.Value, anyEscape)))
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, in := range p.Parts {
				lit, ok := in.(*syntax.Lit)
				if !ok {
					return "", false
				}
				b.WriteString(join(unescape(lit.Value, dblEscapes)))
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}
