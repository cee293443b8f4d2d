package plan

import (
	"go.yaml.in/yaml/v3"
)

// aliasBlock is the `alias` block as written.
type aliasBlock struct {
	values    map[string]string
	src       []*yaml.Node
	directive *yaml.Node
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
