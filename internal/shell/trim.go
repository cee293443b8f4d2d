package shell

import (
	"regexp"

	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

func isPatternOp(op syntax.ParExpOperator) bool {
	switch op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return true
	}
	return false
}

func quoteMeta(s string) string { return pattern.QuoteMeta(s, 0) }

// trim removes what matches the pattern from the beginning (# and ##) or the
// end (% and %%) of s: as little as possible, or as much. A pattern that can't
// be read matches nothing, as in sh.
func trim(op syntax.ParExpOperator, s, pat string) string {
	mode := pattern.Mode(0)
	if op == syntax.RemSmallPrefix {
		mode = pattern.Shortest
	}
	expr, err := pattern.Regexp(pat, mode)
	if err != nil {
		return s
	}
	switch op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix:
		expr = `^(?:` + expr + `)`
	case syntax.RemSmallSuffix:
		// The greedy start leaves the shortest end.
		expr = `(?s:^(.*))(?:` + expr + `)$`
	default:
		expr = `(?:` + expr + `)$`
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return s
	}
	at := re.FindStringSubmatchIndex(s)
	switch {
	case at == nil:
		return s
	case op == syntax.RemSmallPrefix || op == syntax.RemLargePrefix:
		return s[at[1]:]
	case op == syntax.RemSmallSuffix:
		return s[:at[3]]
	default:
		return s[:at[0]]
	}
}
