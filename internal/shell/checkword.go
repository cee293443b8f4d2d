package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word checks a word that sh would expand as an argument.
func (c *checker) word(w *syntax.Word) error {
	if lit, ok := w.Parts[0].(*syntax.Lit); ok && strings.HasPrefix(lit.Value, "~") {
		return c.tilde(w)
	}
	if globs(w) {
		return errorAt(c.src, int(w.Pos().Offset()), "`%s` is a pattern for file names, which are not known outside the container", c.text(w)).
			WithHint("%s", hintQuote)
	}
	return c.parts(w.Parts, false)
}

func (c *checker) tilde(w *syntax.Word) error {
	return errorAt(c.src, int(w.Pos().Offset()), "`%s` begins with a tilde, and the container's home is not known outside it", c.text(w)).
		WithHint("write $HOME/… inside bash -c '…', or put it in single quotes when it is meant literally")
}

// text returns a node as it was written, cut short when it is long.
func (c *checker) text(n syntax.Node) string {
	const most = 60
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if from > to || to > len(c.src) {
		return "…"
	}
	text := []rune(c.src[from:to])
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// parts checks the parts of a word; quoted says that they are within double
// quotes or a here-document.
func (c *checker) parts(parts []syntax.WordPart, quoted bool) error {
	for _, p := range parts {
		if err := c.part(p, quoted); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) part(p syntax.WordPart, quoted bool) error {
	at := int(p.Pos().Offset())
	switch p := p.(type) {
	case *syntax.Lit:
		return nil
	case *syntax.SglQuoted:
		if p.Dollar {
			return errorAt(c.src, at, "`$'…'` is not part of the command language").WithHint("%s", hintBash)
		}
		if quoted {
			return errorAt(c.src, at, "single quotes inside double quotes are read differently by different shells").
				WithHint("%s", hintBash)
		}
		return nil
	case *syntax.DblQuoted:
		if p.Dollar {
			return errorAt(c.src, at, "`$\"…\"` is not part of the command language").WithHint("%s", hintBash)
		}
		return c.parts(p.Parts, true)
	case *syntax.ParamExp:
		return c.param(p, quoted)
	case *syntax.ArithmExp:
		if p.Bracket || p.X == nil {
			return errorAt(c.src, at, "`%s` is not part of the command language", c.text(p)).WithHint("%s", hintBash)
		}
		return c.arithm(p.X)
	case *syntax.CmdSubst:
		return errorAt(c.src, at, "command substitution `%s` would run outside the container", c.text(p)).
			WithHint("%s", hintQuote)
	case *syntax.ProcSubst:
		return errorAt(c.src, at, "process substitution `%s` would run outside the container", c.text(p)).
			WithHint("%s", hintBash)
	default:
		return errorAt(c.src, at, "`%s` is not part of the command language", c.text(p)).WithHint("%s", hintQuote)
	}
}

// param allows the expansions of POSIX.
func (c *checker) param(p *syntax.ParamExp, quoted bool) error {
	refused := p.Param == nil || p.Excl || p.Width || p.IsSet || p.Flags != nil || p.NestedParam != nil ||
		p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 || len(p.Modifiers) > 0
	if !refused {
		switch p.Param.Value {
		case "$", "!", "-":
			refused = true
		}
	}
	if p.Exp != nil {
		switch p.Exp.Op {
		case syntax.AlternateUnset, syntax.AlternateUnsetOrNull, syntax.DefaultUnset, syntax.DefaultUnsetOrNull,
			syntax.ErrorUnset, syntax.ErrorUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull,
			syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		default:
			refused = true
		}
	}
	if refused {
		return errorAt(c.src, int(p.Pos().Offset()), "`%s` is not part of the command language", c.text(p)).
			WithHint("%s", hintQuote)
	}
	if p.Exp == nil || p.Exp.Word == nil {
		return nil
	}
	if isPatternOp(p.Exp.Op) {
		quoted = false // quotes in a pattern are quotes wherever it stands
	}
	if lit, ok := p.Exp.Word.Parts[0].(*syntax.Lit); ok && !quoted && strings.HasPrefix(lit.Value, "~") {
		return c.tilde(p.Exp.Word)
	}
	return c.parts(p.Exp.Word.Parts, quoted)
}

// arithm allows arithmetic that changes nothing.
func (c *checker) arithm(x syntax.ArithmExpr) error {
	switch x := x.(type) {
	case *syntax.Word:
		return c.parts(x.Parts, true)
	case *syntax.ParenArithm:
		return c.arithm(x.X)
	case *syntax.UnaryArithm:
		if x.Op == syntax.Inc || x.Op == syntax.Dec {
			return c.sideEffect(x)
		}
		return c.arithm(x.X)
	case *syntax.BinaryArithm:
		switch x.Op {
		case syntax.Assgn, syntax.AddAssgn, syntax.SubAssgn, syntax.MulAssgn, syntax.QuoAssgn, syntax.RemAssgn,
			syntax.AndAssgn, syntax.OrAssgn, syntax.XorAssgn, syntax.ShlAssgn, syntax.ShrAssgn:
			return c.sideEffect(x)
		}
		if err := c.arithm(x.X); err != nil {
			return err
		}
		return c.arithm(x.Y)
	default:
		return errorAt(c.src, int(x.Pos().Offset()), "`%s` is not part of the command language", c.text(x)).
			WithHint("%s", hintBash)
	}
}

func (c *checker) sideEffect(x syntax.ArithmExpr) error {
	return errorAt(c.src, int(x.Pos().Offset()), "`%s` changes a variable inside arithmetic", c.text(x)).
		WithHint("assign it in front of the command, as in `N=$((N+1)); …`")
}

// globs reports whether sh would look for files that match the word. A word
// with "://" is a URL and never names a file.
func globs(w *syntax.Word) bool {
	var b strings.Builder
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.Lit:
			for _, piece := range unescape(p.Value, anyEscape) {
				if !piece.quoted {
					b.WriteString(piece.text)
				}
			}
		case *syntax.ExtGlob:
			return true
		default:
			b.WriteByte('x')
		}
	}
	text := b.String()
	i := strings.IndexAny(text, "*?[")
	if i < 0 || strings.Contains(text[:i], "://") {
		return false
	}
	open := strings.IndexByte(text, '[')
	return strings.ContainsAny(text, "*?") || (open >= 0 && strings.IndexByte(text[min(open+2, len(text)):], ']') >= 0)
}
