package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// assign checks an assignment in front of a command.
func (c *checker) assign(a *syntax.Assign) error {
	at := int(a.Pos().Offset())
	switch {
	case a.Array != nil || a.Index != nil:
		return errorAt(c.src, at, "arrays are not part of the command language").WithHint("%s", hintBash)
	case a.Append:
		return errorAt(c.src, at, "`+=` is not part of the command language").WithHint("%s", hintBash)
	case a.Name != nil && a.Name.Value == "IFS":
		return errorAt(c.src, at, "IFS can't be changed: words are split at blanks").WithHint("%s", hintBash)
	case a.Value == nil:
		return nil
	}
	if lit, ok := a.Value.Parts[0].(*syntax.Lit); ok {
		if strings.HasPrefix(lit.Value, "~") || strings.Contains(lit.Value, ":~") {
			return c.tilde(a.Value)
		}
	}
	return c.parts(a.Value.Parts, false)
}

// redirect checks a redirection.
func (c *checker) redirect(r *syntax.Redirect) error {
	at := int(r.Pos().Offset())
	if r.N != nil && (len(r.N.Value) != 1 || r.N.Value[0] < '0' || r.N.Value[0] > '9') {
		return errorAt(c.src, at, "redirection of descriptor `%s`", r.N.Value).
			WithHint("descriptors are 0 to 9")
	}
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		return c.hereDocument(r)
	case syntax.WordHdoc:
		return c.parts(r.Word.Parts, false)
	case syntax.DplIn, syntax.DplOut:
		lit, ok := literal(r.Word)
		if !ok || len(lit) != 1 || (lit != "-" && (lit[0] < '0' || lit[0] > '9')) {
			return errorAt(c.src, at, "`%s` takes a descriptor or `-`", r.Op).
				WithHint("for both outputs in one file write `>file 2>&1`")
		}
		return nil
	default:
		return c.word(r.Word)
	}
}
