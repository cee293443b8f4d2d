package shell

import (
	"strconv"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// The characters that a backslash quotes within double quotes and in the body
// of a here-document.
const (
	dblEscapes  = "$`\"\\"
	hdocEscapes = "$`\\"
)

// expander expands words as sh does, against the variables of a scope. It is
// its own instead of package expand's because that expands braces and tildes,
// and splits quoted words inside ${x:-"…"}.
type expander struct {
	src   string
	scope *scope
}

// fields expands words to arguments.
func (e expander) fields(words ...*syntax.Word) ([]string, error) {
	var all []string
	for _, w := range words {
		pieces, err := e.pieces(w.Parts, unquoted)
		if err != nil {
			return nil, err
		}
		all = append(all, splitFields(pieces)...)
	}
	return all, nil
}

// value expands a word to one string, as in an assignment.
func (e expander) value(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	pieces, err := e.pieces(w.Parts, unquoted)
	return join(pieces), err
}

// quoting is where a part of a word stands.
type quoting int

const (
	unquoted   quoting = iota
	inDefault          // in the word of ${x:-word}, outside quotes
	inDouble           // within double quotes
	inBraces           // in the word of "${x:-word}"
	inDocument         // in a here-document
)

// nested is where the word of ${x:-word} stands when the expansion is in q.
func (q quoting) nested() quoting {
	switch q {
	case unquoted, inDefault:
		return inDefault
	case inDocument:
		return inDocument
	default:
		return inBraces
	}
}

func (q quoting) quoted() bool { return q >= inDouble }

func (e expander) pieces(parts []syntax.WordPart, q quoting) ([]piece, error) {
	var out []piece
	for _, p := range parts {
		more, err := e.part(p, q)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func (e expander) part(p syntax.WordPart, q quoting) ([]piece, error) {
	switch p := p.(type) {
	case *syntax.Lit:
		return literalPieces(p.Value, q), nil
	case *syntax.SglQuoted:
		return []piece{{text: p.Value, quoted: true}}, nil
	case *syntax.DblQuoted:
		return e.double(p)
	case *syntax.ParamExp:
		return e.param(p, q)
	case *syntax.ArithmExp:
		n, err := expand.Arithm(&expand.Config{Env: e.scope}, p.X)
		if err != nil {
			return nil, errorAt(e.src, int(p.Pos().Offset()), "arithmetic: %w", err)
		}
		return []piece{{text: strconv.Itoa(n), quoted: q.quoted(), split: !q.quoted()}}, nil
	default:
		return nil, errorAt(e.src, int(p.Pos().Offset()), "this is not part of the command language")
	}
}

func literalPieces(s string, q quoting) []piece {
	switch q {
	case unquoted:
		return unescape(s, anyEscape)
	case inDefault:
		pieces := unescape(s, anyEscape)
		for i := range pieces {
			pieces[i].split = !pieces[i].quoted
		}
		return pieces
	case inBraces:
		return []piece{{text: join(unescape(s, dblEscapes+"}")), quoted: true}}
	case inDocument:
		return []piece{{text: join(unescape(s, hdocEscapes)), quoted: true}}
	default:
		return []piece{{text: join(unescape(s, dblEscapes)), quoted: true}}
	}
}

// double expands what is within double quotes. "$@" alone is nothing at all,
// since a script has no arguments.
func (e expander) double(d *syntax.DblQuoted) ([]piece, error) {
	if len(d.Parts) > 0 && !anyPart(d.Parts, func(p syntax.WordPart) bool { return !isAllArgs(p) }) {
		return nil, nil
	}
	pieces, err := e.pieces(d.Parts, inDouble)
	return append(pieces, piece{quoted: true}), err
}

func anyPart(parts []syntax.WordPart, match func(syntax.WordPart) bool) bool {
	for _, p := range parts {
		if match(p) {
			return true
		}
	}
	return false
}

func isAllArgs(p syntax.WordPart) bool {
	pe, ok := p.(*syntax.ParamExp)
	return ok && pe.Param.Value == "@" && pe.Exp == nil && !pe.Length
}
