package plan

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// aliasTimeout bounds the reading of one alias file.
const aliasTimeout = 2 * time.Second

// aliases are the names that `$` may stand in front of.
type aliases struct {
	directive rune
	values    map[string]string
}

var (
	aliasKey  = regexp.MustCompile(`^(?:alias|"alias"|'alias')\s*:`)
	topKey    = regexp.MustCompile(`^[^\s:]+[^:]*:`)
	aliasName = regexp.MustCompile(`^[a-zA-Z0-9]+$`)
)

// expandAliases takes the `alias` block out of the task and replaces the
// aliases in the rest. The document keeps its lines.
func (m *maker) expandAliases(ctx context.Context) (document, error) {
	if !hasAliases(m.version) {
		return m.file, nil
	}
	block, rest := separateAlias(blankComments(m.file))
	var err error
	if m.aliases, err = m.readAliases(ctx, block); err != nil {
		return document{}, err
	}
	source, err := m.aliases.replace(rest)
	return source, m.locate(err, rest)
}

// separateAlias splits a task into its `alias` block and the rest, both with
// empty lines where the other has text.
func separateAlias(d document) (block, rest document) {
	lines := d.split()
	others := make([]string, len(lines))
	inside := false
	for i, line := range lines {
		switch {
		case aliasKey.MatchString(line):
			inside = true
		case topKey.MatchString(line):
			inside = false
		}
		if !inside {
			others[i], lines[i] = line, ""
		}
	}
	return document{text: strings.Join(lines, "\n"), lines: d.lines},
		document{text: strings.Join(others, "\n"), lines: d.lines}
}

// readAliases renders and reads the alias block and what it refers to. Inline
// values beat files, later files earlier ones, and all of them the global
// aliases.
func (m *maker) readAliases(ctx context.Context, block document) (aliases, error) {
	a := aliases{directive: '$', values: map[string]string{}}
	if strings.TrimSpace(block.text) != "" {
		rendered, err := m.renderAlias(ctx, block)
		if err != nil {
			return a, err
		}
		b, err := decodeAlias(rendered)
		if err == nil {
			err = m.fill(ctx, &a, b)
		}
		if err != nil {
			return a, m.locate(err, rendered)
		}
	}
	addMissing(a.values, globalAliases(m.in.GlobalImages))
	return a, nil
}

func (m *maker) fill(ctx context.Context, a *aliases, b aliasBlock) error {
	addMissing(a.values, b.values)
	for i := len(b.src) - 1; i >= 0; i-- {
		values, err := m.fetchAliases(ctx, b.src[i])
		if err != nil {
			return err
		}
		addMissing(a.values, values)
	}
	if b.directive == nil || b.directive.Value == "" {
		return nil
	}
	r, size := utf8.DecodeRuneInString(b.directive.Value)
	if size != len(b.directive.Value) || alphanumeric(r) {
		return invalid(b.directive, "the alias directive is %q; it must be one character that is neither a letter nor a digit", b.directive.Value)
	}
	a.directive = r
	return nil
}

func addMissing(to, from map[string]string) {
	for k, v := range from {
		if _, ok := to[k]; !ok {
			to[k] = v
		}
	}
}
