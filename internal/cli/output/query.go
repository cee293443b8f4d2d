package output

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jmespath/go-jmespath"
)

// Query is a JMESPath expression.
type Query struct {
	expression *jmespath.JMESPath
	order      map[string]int // names of its keys, by where they come first
}

// keyName finds the keys of multi-select hashes: {name: expression}.
var keyName = regexp.MustCompile(`[{,]\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*))\s*:`)

// ParseQuery reads an expression.
func ParseQuery(text string) (*Query, error) {
	expression, err := jmespath.Compile(quoteLiterals(text))
	if err != nil {
		return nil, fmt.Errorf("%q is not a JMESPath query: %s", text, firstLine(err))
	}
	q := &Query{expression: expression, order: map[string]int{}}
	for i, match := range keyName.FindAllStringSubmatch(text, -1) {
		name := match[1] + match[2]
		if _, there := q.order[name]; !there {
			q.order[name] = i
		}
	}
	return q, nil
}

// quoteLiterals makes JSON of literals that are bare words, as `name`: the
// Azure CLI takes those too.
func quoteLiterals(text string) string {
	return quoted.ReplaceAllStringFunc(text, func(part string) string {
		if part[0] != '`' || json.Valid([]byte(strings.ReplaceAll(part[1:len(part)-1], "\\`", "`"))) {
			return part
		}
		word, err := json.Marshal(part[1 : len(part)-1])
		if err != nil {
			return part
		}
		return "`" + string(word) + "`"
	})
}

// quoted finds raw strings, quoted names and literals.
var quoted = regexp.MustCompile("'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|`(?:[^`\\\\]|\\\\.)*`")

func (q *Query) apply(value any) (result any, err error) {
	// The library panics on some expressions that its parser lets pass.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("carrying out the query: %v", p)
		}
	}()
	result, err = q.expression.Search(value)
	if err != nil {
		return nil, fmt.Errorf("carrying out the query: %w", err)
	}
	return result, nil
}

// keys returns the keys of an object: those that a query names in its order,
// since columns follow it, and others by the alphabet.
func (q *Query) keys(object map[string]any) []string {
	keys := slices.Sorted(maps.Keys(object))
	if q == nil {
		return keys
	}
	slices.SortStableFunc(keys, func(a, b string) int { return q.rank(a) - q.rank(b) })
	return keys
}

func (q *Query) rank(key string) int {
	if at, ok := q.order[key]; ok {
		return at
	}
	return len(q.order) + 1
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
