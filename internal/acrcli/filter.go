package acrcli

import (
	"fmt"
	"strings"
	"time"

	"github.com/dlclark/regexp2"

	"github.com/drydockhq/drydock"
)

// filter is what one --filter says: which tags of which repositories. Both are
// regular expressions with look-around and back-references, as .NET's.
type filter struct{ repository, tag string }

// parseFilter parses REPOSITORY:TAG at the one colon that is no part of an
// expression: those of (?:…) and [[:alpha:]] are.
func parseFilter(text string) (filter, error) {
	at := -1
	for i := 0; i < len(text); {
		size, colon := element(text[i:])
		if colon {
			if at >= 0 {
				return filter{}, badFilter(text, "unable to correctly parse filter flag")
			}
			at = i
		}
		i += size
	}
	switch {
	case at < 0:
		return filter{}, badFilter(text, "unable to correctly parse filter flag")
	case at == 0:
		return filter{}, badFilter(text, "missing repository name/expression")
	case at == len(text)-1:
		return filter{}, badFilter(text, "missing tag name/expression")
	}
	return filter{text[:at], text[at+1:]}, nil
}

// element returns how long the first element of an expression is, and whether it is
// a colon.
func element(text string) (size int, colon bool) {
	switch {
	case text[0] == ':':
		return 1, true
	case text[0] == '\\':
		return min(2, len(text)), false
	case text[0] == '[':
		return class(text), false
	case strings.HasPrefix(text, "(?"):
		flags := len(text[2:]) - len(strings.TrimLeft(text[2:], "imnsxU-"))
		if strings.HasPrefix(text[2+flags:], ":") {
			return 2 + flags + 1, false
		}
		return 2, false
	}
	return 1, false
}

// class returns how long the class of characters is that a text begins with; one
// that does not end is a single character.
func class(text string) int {
	i := 1
	if strings.HasPrefix(text[i:], "^") {
		i++
	}
	if strings.HasPrefix(text[i:], "]") {
		i++
	}
	for i < len(text) {
		switch {
		case text[i] == '\\':
			i += 2
		case strings.HasPrefix(text[i:], "[:"):
			end := strings.Index(text[i:], ":]")
			if end < 0 {
				return 1
			}
			i += end + 2
		case text[i] == ']':
			return i + 1
		default:
			i++
		}
	}
	return 1
}

func badFilter(text, why string) error {
	return drydock.Errorf(drydock.Invalid, "%s: %q", why, text).WithHint("it is REPOSITORY:TAG, both regular expressions, as 'hello-world:^v1\\..*'")
}

// literal reports whether the repository is a name, which need not be looked for.
func (f filter) literal() bool {
	return strings.Trim(f.repository, "abcdefghijklmnopqrstuvwxyz0123456789/_-") == ""
}

// compile compiles an expression. Matching one text may take as long as timeout:
// an expression that tracks back can take for ever.
func compile(expression string, timeout time.Duration) (*regexp2.Regexp, error) {
	compiled, err := regexp2.Compile(expression, regexp2.RE2)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "%q is not a regular expression: %w", expression, err)
	}
	compiled.MatchTimeout = timeout
	return compiled, nil
}

// matches reports whether an expression matches a text.
func matches(expression *regexp2.Regexp, text string) (bool, error) {
	ok, err := expression.MatchString(text)
	if err != nil { // it has no other
		return false, fmt.Errorf("matching %q with %q takes longer than %s: see --filter-timeout-seconds", text, expression.String(), expression.MatchTimeout)
	}
	return ok, nil
}

// targets says which tags of which repositories filters are about: an expression
// for the tags of each repository.
func targets(filters []filter, repositories []string, timeout time.Duration) (map[string]string, error) {
	of := map[string]string{}
	add := func(repository, tag string) {
		if before, ok := of[repository]; ok {
			tag = before + "|" + tag
		}
		of[repository] = tag
	}
	for _, f := range filters {
		if f.literal() {
			add(f.repository, f.tag)
			continue
		}
		expression, err := compile("^(?:"+f.repository+")$", timeout)
		if err != nil {
			return nil, err
		}
		for _, name := range repositories {
			ok, err := matches(expression, name)
			if err != nil {
				return nil, err
			}
			if ok {
				add(name, f.tag)
			}
		}
	}
	return of, nil
}
