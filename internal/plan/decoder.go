package plan

import (
	"slices"

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
