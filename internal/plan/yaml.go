package plan

import (
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// maxNodes bounds the YAML nodes that are read, aliases counted each time.
const maxNodes = 500_000

// decoder reads YAML nodes of the task language. Its errors are positioned
// where the value stands in the text.
type decoder struct {
	nodes int
}

// pair is an entry of a map.
type pair struct {
	key            string
	keyNode, value *yaml.Node
}

// parseYAML returns the root of the text's first and only document, nil when
// it is empty.
func parseYAML(text string) (*yaml.Node, *decoder, error) {
	dec := &decoder{}
	yd := yaml.NewDecoder(strings.NewReader(text))
	var doc, more yaml.Node
	if err := yd.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, dec, nil
		}
		return nil, dec, findAnchor(syntaxError(err), text)
	}
	if yd.Decode(&more) == nil && more.Kind != 0 {
		return nil, dec, invalid(&more, "a second YAML document begins here; a file holds one")
	}
	if len(doc.Content) == 0 {
		return nil, dec, nil
	}
	return doc.Content[0], dec, nil
}

var yamlPosition = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): `)

// syntaxError turns an error of the YAML parser into one with a line.
func syntaxError(err error) *drydock.Error {
	text := err.Error()
	e := &drydock.Error{Code: drydock.Invalid, Err: err}
	if p := yamlPosition.FindStringSubmatch(text); p != nil {
		e.Line, _ = strconv.Atoi(p[1])
		e.Column = 1
		text = text[len(p[0]):]
	}
	text = strings.TrimPrefix(text, "yaml: ")
	e.Message = "YAML: " + text
	switch {
	case strings.Contains(text, "cannot start any token"):
		e.Hint = "put the value into quotes; indent with spaces"
	case strings.Contains(text, "unexpected end of stream"):
		e.Hint = "a quote or a bracket that is opened here is not closed"
	case strings.Contains(text, "mapping values are not allowed"), strings.Contains(text, "did not find expected"):
		e.Hint = "check the indentation, and quote values that contain `: ` or begin with a special character"
	}
	return e
}

var unknownAnchor = regexp.MustCompile(`unknown anchor '(.+)' referenced`)

// findAnchor gives the error about an anchor, which has no position, the one
// of its first use.
func findAnchor(e *drydock.Error, text string) *drydock.Error {
	name := unknownAnchor.FindStringSubmatch(e.Message)
	if name == nil {
		return e
	}
	e.Hint = "quote the value when the `*` is meant literally"
	if at := strings.Index(text, "*"+name[1]); at >= 0 && e.Line == 0 {
		start := strings.LastIndexByte(text[:at], '\n') + 1
		return e.At(lineEnds(text).line(at), utf8.RuneCountInString(text[start:at])+1)
	}
	return e
}

// invalid returns an error at n.
func invalid(n *yaml.Node, format string, args ...any) *drydock.Error {
	return drydock.Errorf(drydock.Invalid, format, args...).At(n.Line, n.Column)
}

// resolveAlias returns what a YAML alias stands for, and n itself when it is none.
func resolveAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// isNull reports whether there is no value.
func isNull(n *yaml.Node) bool {
	return n == nil || resolveAlias(n).Kind == yaml.ScalarNode && resolveAlias(n).ShortTag() == "!!null"
}

// kindOf names what a node is, for errors.
func kindOf(n *yaml.Node) string {
	n = resolveAlias(n)
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	}
	return "text"
}

// visit counts a node.
func (d *decoder) visit(n *yaml.Node) error {
	if d.nodes++; d.nodes > maxNodes {
		return invalid(n, "the task has more than %d values", maxNodes).
			WithHint("YAML aliases (*name) count each time")
	}
	return nil
}

// mapping returns the entries of a map in their order, with merge keys (<<)
// resolved.
func (d *decoder) mapping(n *yaml.Node, what string) ([]pair, error) {
	return d.merge(n, what, 0)
}

func (d *decoder) merge(n *yaml.Node, what string, depth int) ([]pair, error) {
	m := resolveAlias(n)
	if m.Kind != yaml.MappingNode {
		return nil, invalid(n, "%s must be a map, not %s", what, kindOf(n))
	}
	if depth > 10 {
		return nil, invalid(n, "%s: merge keys (<<) are nested too deep", what)
	}
	var own, merged []pair
	seen := map[string]bool{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if err := d.visit(key); err != nil {
			return nil, err
		}
		if key.ShortTag() == "!!merge" {
			more, err := d.mergeValue(value, what, depth)
			if err != nil {
				return nil, err
			}
			merged = append(more, merged...)
			continue
		}
		if resolveAlias(key).Kind != yaml.ScalarNode {
			return nil, invalid(key, "%s: a name must be text, not %s", what, kindOf(key))
		}
		name := resolveAlias(key).Value
		if seen[name] {
			return nil, invalid(key, "%s has `%s` twice", what, name).
				WithHint("remove one of them")
		}
		seen[name] = true
		own = append(own, pair{key: name, keyNode: key, value: value})
	}
	for _, p := range merged {
		if !seen[p.key] {
			seen[p.key] = true
			own = append(own, p)
		}
	}
	return own, nil
}

func (d *decoder) mergeValue(n *yaml.Node, what string, depth int) ([]pair, error) {
	if resolveAlias(n).Kind != yaml.SequenceNode {
		return d.merge(n, what, depth+1)
	}
	var all []pair
	for _, c := range resolveAlias(n).Content {
		more, err := d.merge(c, what, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// fields returns the values of a map that may only have the given names.
func (d *decoder) fields(n *yaml.Node, what string, names ...string) (map[string]*yaml.Node, error) {
	pairs, err := d.mapping(n, what)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]*yaml.Node, len(pairs))
	for _, p := range pairs {
		if !slices.Contains(names, p.key) {
			return nil, unknownKey(p, what, names)
		}
		fields[p.key] = p.value
	}
	return fields, nil
}

func unknownKey(p pair, what string, names []string) error {
	return invalid(p.keyNode, "%s has an unknown property `%s`", what, p.key).
		WithHint("%s", nearestOr(p.key, names, "there are"))
}

// items returns the elements of a list; none for nothing.
func (d *decoder) items(n *yaml.Node, name string) ([]*yaml.Node, error) {
	if isNull(n) {
		return nil, nil
	}
	list := resolveAlias(n)
	if list.Kind != yaml.SequenceNode {
		err := invalid(n, "`%s` must be a list, not %s", name, kindOf(n))
		if list.Kind == yaml.ScalarNode {
			err.Hint = "write " + name + ": [\"…\"]"
		}
		return nil, err
	}
	for _, c := range list.Content {
		if err := d.visit(c); err != nil {
			return nil, err
		}
	}
	if n != list { // errors belong where the alias stands
		at := make([]*yaml.Node, len(list.Content))
		for i, c := range list.Content {
			at[i] = &yaml.Node{Kind: yaml.AliasNode, Alias: resolveAlias(c), Line: n.Line, Column: n.Column}
		}
		return at, nil
	}
	return list.Content, nil
}

// text returns a scalar as it is written; "" for nothing.
func (d *decoder) text(n *yaml.Node, name string) (string, error) {
	if isNull(n) {
		return "", nil
	}
	if resolveAlias(n).Kind != yaml.ScalarNode {
		return "", invalid(n, "`%s` must be text, not %s", name, kindOf(n))
	}
	return resolveAlias(n).Value, nil
}

// texts returns a list of scalars.
func (d *decoder) texts(n *yaml.Node, name string) ([]string, error) {
	items, err := d.items(n, name)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, item := range items {
		s, err := d.text(item, name)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// integer returns a number that isn't negative; 0 for nothing.
func (d *decoder) integer(n *yaml.Node, name string) (int, error) {
	if isNull(n) {
		return 0, nil
	}
	var f float64
	s := resolveAlias(n)
	if kindOf(n) != "a number" || s.Decode(&f) != nil || f != math.Trunc(f) {
		not := kindOf(n)
		if not == "a number" {
			not = s.Value
		}
		err := invalid(n, "`%s` must be a whole number, not %s", name, not)
		if _, bad := strconv.Atoi(s.Value); bad == nil {
			err.Hint = "write it without quotes"
		}
		return 0, err
	}
	switch {
	case f < 0:
		return 0, invalid(n, "`%s` is %s; it can't be negative", name, s.Value)
	case f > math.MaxInt32:
		return 0, invalid(n, "`%s` is %s; at most %d is allowed", name, s.Value, math.MaxInt32)
	}
	return int(f), nil
}

// boolean returns true or false; false for nothing.
func (d *decoder) boolean(n *yaml.Node, name string) (bool, error) {
	if isNull(n) {
		return false, nil
	}
	s := resolveAlias(n)
	var b bool
	if s.Kind == yaml.ScalarNode {
		if s.ShortTag() == "!!bool" && s.Decode(&b) == nil {
			return b, nil
		}
		if b, ok := oldBool(s); ok {
			return b, nil
		}
	}
	err := invalid(n, "`%s` must be true or false, not %s", name, kindOf(n))
	if s.Value == "true" || s.Value == "false" {
		err.Hint = "write it without quotes"
	}
	return false, err
}
