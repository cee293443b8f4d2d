package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// hereDocument checks the body of a here-document, unless a quoted delimiter
// makes it literal.
func (c *checker) hereDocument(r *syntax.Redirect) error {
	if len(r.Word.Parts) > 1 && quotedDelimiter(r.Word) {
		return errorAt(c.src, int(r.Word.Pos().Offset()), "the delimiter `%s` is quoted in part", c.text(r.Word)).
			WithHint("quote the whole of it, or nothing")
	}
	if r.Hdoc == nil || quotedDelimiter(r.Word) {
		return nil
	}
	return c.parts(r.Hdoc.Parts, true)
}

// hereDocument returns the body of a here-document.
func hereDocument(rd *syntax.Redirect, e expander) (string, error) {
	if rd.Hdoc == nil {
		return "", nil
	}
	parts := rd.Hdoc.Parts
	if rd.Op == syntax.DashHdoc {
		parts = withoutTabs(parts)
	}
	if !quotedDelimiter(rd.Word) {
		pieces, err := e.pieces(parts, inDocument)
		return join(pieces), err
	}
	var b strings.Builder
	for _, p := range parts {
		if lit, ok := p.(*syntax.Lit); ok {
			b.WriteString(lit.Value)
		}
	}
	return b.String(), nil
}

// quotedDelimiter reports whether a here-document's delimiter is quoted, which
// makes its body literal.
func quotedDelimiter(w *syntax.Word) bool {
	for _, p := range w.Parts {
		if lit, ok := p.(*syntax.Lit); !ok || strings.Contains(lit.Value, `\`) {
			return true
		}
	}
	return false
}

// withoutTabs removes the tabs at the beginning of each line of a body, those
// that were written and not those that come out of a variable.
func withoutTabs(parts []syntax.WordPart) []syntax.WordPart {
	out := make([]syntax.WordPart, len(parts))
	lineStart := true
	for i, p := range parts {
		lit, ok := p.(*syntax.Lit)
		if !ok {
			out[i], lineStart = p, false
			continue
		}
		stripped := *lit
		stripped.Value = stripTabs(lit.Value, lineStart)
		out[i], lineStart = &stripped, strings.HasSuffix(lit.Value, "\n")
	}
	return out
}

func stripTabs(s string, lineStart bool) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(s, "\n") {
		if lineStart {
			line = strings.TrimLeft(line, "\t")
		}
		b.WriteString(line)
		lineStart = true
	}
	return b.String()
}
