package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Fields splits the text of a `build:` or an `entryPoint:` into arguments as a
// shell would, with variables from env (nil for none). Operators and
// redirections are refused, and so is all that Parse refuses; line ends count
// as blanks. Its error is a *drydock.Error as Parse's.
func Fields(s string, env func(name string) (string, bool)) ([]string, error) {
	if err := checkText(s); err != nil {
		return nil, err
	}
	c := checker{src: s}
	e := expander{src: s, scope: newScope(env)}
	var fields []string
	for w, err := range syntax.NewParser(syntax.Variant(syntax.LangBash)).WordsSeq(strings.NewReader(s)) {
		if err != nil {
			return nil, parseError(s, err)
		}
		if err := c.word(w); err != nil {
			return nil, err
		}
		more, err := e.fields(w)
		if err != nil {
			return nil, err
		}
		fields = append(fields, more...)
	}
	return fields, nil
}
