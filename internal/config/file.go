package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is what a file says of a setting.
type entry struct {
	values []string
	from   string // file:line
}

// readFile returns the settings of a YAML file, by their names, and the mistakes
// in it.
func readFile(text []byte, name string) (map[string]entry, []string) {
	found := map[string]entry{}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		lines := strings.Fields(strings.TrimPrefix(err.Error(), "yaml: "))
		return found, []string{name + ": " + strings.Join(lines, " ")}
	}
	if len(doc.Content) == 0 {
		return found, nil
	}
	f := fileReader{name: name, settings: map[string]*Setting{}, groups: map[string]*Setting{}, found: found}
	for _, s := range Settings() {
		f.settings[s.Name] = s
		if group, _, ok := strings.Cut(s.Name, "."); ok && f.groups[group] == nil {
			f.groups[group] = s
		}
	}
	f.mapping("", doc.Content[0])
	return found, f.mistakes
}

type fileReader struct {
	name     string
	settings map[string]*Setting
	groups   map[string]*Setting // the first of each
	found    map[string]entry
	mistakes []string
}

func (f *fileReader) mistake(n *yaml.Node, format string, args ...any) {
	f.mistakes = append(f.mistakes, fmt.Sprintf("%s:%d: ", f.name, n.Line)+fmt.Sprintf(format, args...))
}

func (f *fileReader) mapping(prefix string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		f.noMapping(strings.TrimSuffix(prefix, "."), n)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := prefix + key.Value
		s := f.settings[name]
		_, twice := f.found[name]
		switch {
		case twice:
			f.mistake(key, "%s: it is set twice", name)
		case s != nil:
			f.setting(s, key, value)
		case prefix == "" && f.groups[name] != nil:
			f.mapping(name+".", value)
		default:
			f.mistake(key, "%s: there is no such setting", name)
		}
	}
}

// noMapping says that a value stands where settings have to.
func (f *fileReader) noMapping(group string, n *yaml.Node) {
	if group == "" {
		f.mistake(n, "settings are expected, as `listen: :443`")
		return
	}
	_, name, _ := strings.Cut(f.groups[group].Name, ".")
	other := ""
	for _, s := range f.settings {
		if s.Option == group {
			other = fmt.Sprintf("; what --%s sets is %s in a file", group, s.Name)
		}
	}
	f.mistake(n, "%s: it is a group of settings, as `%s: {%s: …}`%s", group, group, name, other)
}

// setting reads the value of a setting. A list may be written as a mapping where
// its entries are of the form NAME=VALUE.
func (f *fileReader) setting(s *Setting, key, value *yaml.Node) {
	e := entry{from: fmt.Sprintf("%s:%d: %s", f.name, key.Line, s.Name)}
	ok := true
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		return
	case value.Kind == yaml.ScalarNode:
		e.values = []string{value.Value}
	case value.Kind == yaml.SequenceNode && s.List:
		e.values, ok = scalars(value)
	case value.Kind == yaml.MappingNode && s.List && strings.Contains(s.Value, "="):
		for i := 0; i+1 < len(value.Content) && ok; i += 2 {
			var values []string
			values, ok = scalars(value.Content[i+1])
			for _, v := range values {
				e.values = append(e.values, value.Content[i].Value+"="+v)
			}
		}
	default:
		ok = false
	}
	if !ok {
		f.mistake(value, "%s: it has the wrong form", s.Name)
		return
	}
	f.found[s.Name] = e
}

// scalars returns the texts of a list, or of a single value.
func scalars(n *yaml.Node) (values []string, ok bool) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, true
	}
	if n.Kind != yaml.SequenceNode {
		return nil, false
	}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return nil, false
		}
		values = append(values, item.Value)
	}
	return values, true
}
