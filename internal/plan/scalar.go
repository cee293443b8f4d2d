package plan

import (
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

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
