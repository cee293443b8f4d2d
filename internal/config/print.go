package config

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Print returns values as the YAML of a configuration file, secrets masked, with
// where each was set.
func Print(values []Value) ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	groups := map[string]*yaml.Node{"": root}
	for _, v := range values {
		group, name, ok := strings.Cut(v.Name, ".")
		if !ok {
			group, name = "", v.Name
		}
		parent := groups[group]
		if parent == nil {
			parent = &yaml.Node{Kind: yaml.MappingNode}
			groups[group] = parent
			root.Content = append(root.Content, scalar(group), parent)
		}
		key, value := scalar(name), v.node()
		if v.IsSet() {
			value.LineComment = from(v)
		}
		parent.Content = append(parent.Content, key, value)
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("printing the configuration: %w", err)
	}
	return b.Bytes(), nil
}

// from says where a value was set, without the setting's name.
func from(v Value) string { return strings.TrimSuffix(v.From, ": "+v.Name) }

func (v Value) node() *yaml.Node {
	if !v.List {
		if len(v.Values) == 0 {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: ""}
		}
		n := &yaml.Node{}
		n.SetString(v.Show(v.Values[0]))
		if v.Switch {
			n.Tag = "!!bool"
		}
		return n
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, value := range v.Values {
		list.Content = append(list.Content, scalar(v.Show(value)))
	}
	return list
}

func scalar(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}
