package shell

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// param expands $x, ${x}, ${#x} and ${x<op>word}.
func (e expander) param(p *syntax.ParamExp, q quoting) ([]piece, error) {
	value, set := e.scope.lookup(p.Param.Value)
	if p.Length {
		value = strconv.Itoa(utf8.RuneCountInString(value))
	}
	if p.Exp != nil {
		if isPatternOp(p.Exp.Op) {
			pattern, err := e.pattern(p.Exp.Word)
			if err != nil {
				return nil, err
			}
			value = trim(p.Exp.Op, value, pattern)
		} else if pieces, done, err := e.substitute(p, value, set, q); done || err != nil {
			return pieces, err
		}
	}
	return []piece{{text: value, quoted: q.quoted(), split: !q.quoted()}}, nil
}

// substitute carries out the operators that may put a word in the place of a
// value; done is false when the value stands.
func (e expander) substitute(p *syntax.ParamExp, value string, set bool, q quoting) (_ []piece, done bool, _ error) {
	use := !set
	switch p.Exp.Op {
	case syntax.AlternateUnset, syntax.DefaultUnset, syntax.ErrorUnset, syntax.AssignUnset:
	default:
		use = value == ""
	}
	switch p.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if use {
			return []piece{{quoted: q.quoted(), split: !q.quoted()}}, true, nil
		}
		use = true
	}
	if !use {
		return nil, false, nil
	}
	switch p.Exp.Op {
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		text, err := e.value(p.Exp.Word)
		if err != nil {
			return nil, true, err
		}
		if text == "" {
			text = "parameter not set"
		}
		return nil, true, errorAt(e.src, int(p.Pos().Offset()), "%s: %s", p.Param.Value, text).
			WithHint("set it in the step's `env`")
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		text, err := e.value(p.Exp.Word)
		if err != nil {
			return nil, true, err
		}
		if !syntax.ValidName(p.Param.Value) {
			return nil, true, errorAt(e.src, int(p.Pos().Offset()), "`%s` can't be assigned", p.Param.Value)
		}
		e.scope.set(p.Param.Value, text)
		return []piece{{text: text, quoted: q.quoted(), split: !q.quoted()}}, true, nil
	}
	if p.Exp.Word == nil {
		return []piece{{quoted: q.quoted(), split: !q.quoted()}}, true, nil
	}
	pieces, err := e.pieces(p.Exp.Word.Parts, q.nested())
	return pieces, true, err
}

// pattern expands the word of ${x%word} to a pattern whose quoted parts are
// literal.
func (e expander) pattern(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	pieces, err := e.pieces(w.Parts, unquoted)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.quoted {
			b.WriteString(quoteMeta(p.text))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String(), nil
}
