package plan

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
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

// aliasBlock is the `alias` block as written.
type aliasBlock struct {
	values    map[string]string
	src       []*yaml.Node
	directive *yaml.Node
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

// decodeAlias reads the alias block.
func decodeAlias(d document) (aliasBlock, error) {
	b := aliasBlock{}
	top, dec, err := parseYAML(d.text)
	if err != nil {
		return b, err
	}
	task, err := dec.fields(top, "the task", "alias")
	if err != nil || task["alias"] == nil || isNull(task["alias"]) {
		return b, err
	}
	f, err := dec.fields(task["alias"], "`alias`", "values", "src", "directive")
	if err != nil {
		return b, err
	}
	if b.values, err = dec.aliasValues(f["values"]); err != nil {
		return b, err
	}
	if b.src, err = dec.items(f["src"], "src"); err != nil {
		return b, err
	}
	for _, n := range b.src {
		if _, err := dec.text(n, "src"); err != nil {
			return b, err
		}
	}
	if f["directive"] != nil {
		if _, err := dec.text(f["directive"], "directive"); err != nil {
			return b, err
		}
		b.directive = resolveAlias(f["directive"])
	}
	return b, nil
}

// aliasValues reads a flat map of names and texts.
func (d *decoder) aliasValues(n *yaml.Node) (map[string]string, error) {
	values := map[string]string{}
	if isNull(n) {
		return values, nil
	}
	pairs, err := d.mapping(n, "aliases")
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if !aliasName.MatchString(p.key) {
			return nil, invalid(p.keyNode, "alias name %q: only letters and digits are allowed", p.key)
		}
		if values[p.key], err = d.text(p.value, p.key); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// fetchAliases reads one entry of `src`.
func (m *maker) fetchAliases(ctx context.Context, src *yaml.Node) (map[string]string, error) {
	uri := resolveAlias(src).Value
	if m.in.Aliases == nil {
		return nil, invalid(src, "reading aliases from %q: files and URLs of aliases can't be read here", uri).
			WithHint("put them into `alias.values`")
	}
	fetch, cancel := context.WithTimeout(ctx, aliasTimeout)
	defer cancel()
	data, err := m.in.Aliases.Fetch(fetch, uri)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && fetch.Err() != nil:
		return nil, invalid(src, "reading aliases from %q: no answer within %s", uri, aliasTimeout)
	case err != nil:
		return nil, wrap(src, err, "reading aliases from %q", uri)
	case len(data) > maxFile:
		return nil, invalid(src, "reading aliases from %q: it has more than %d bytes", uri, maxFile)
	}
	top, dec, err := parseYAML(normalise(data))
	if err != nil {
		return nil, wrap(src, err, "reading aliases from %q", uri)
	}
	values, err := dec.aliasValues(top)
	if err != nil {
		return nil, wrap(src, err, "reading aliases from %q", uri)
	}
	return values, nil
}

// wrap puts err under a message at n. The position in err counts in another
// file, so it goes into the message.
func wrap(n *yaml.Node, err error, format string, args ...any) *drydock.Error {
	code := drydock.CodeOf(err)
	if code == drydock.Internal {
		code = drydock.Invalid
	}
	e := drydock.Errorf(code, format, args...)
	e.Message += ": " + err.Error()
	e.Err = err
	return e.At(n.Line, n.Column)
}
