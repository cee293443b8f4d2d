package plan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// environment reads a list of NAME=VALUE.
func (d *decoder) environment(n *yaml.Node) ([]string, error) {
	items, err := d.items(n, "env")
	if err != nil {
		if resolveAlias(n).Kind == yaml.MappingNode {
			return nil, invalid(n, "`env` must be a list, not a map").WithHint("write - NAME=VALUE")
		}
		return nil, err
	}
	var all []string
	for _, item := range items {
		s, err := d.text(item, "env")
		if err != nil {
			if resolveAlias(item).Kind == yaml.MappingNode {
				return nil, invalid(item, "an entry of `env` must be text, not a map").WithHint("write - NAME=VALUE, with `=`")
			}
			return nil, err
		}
		s = unquote(s)
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, invalid(item, "%q in `env` is not NAME=VALUE", s)
		}
		all = append(all, name+"="+unquote(value))
	}
	return all, nil
}

// unquote removes the quotes around a whole value. ACR hands values to a shell,
// which takes them off, so tasks are written with them.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] {
		return s
	}
	switch s[0] {
	case '\'':
		return strings.ReplaceAll(s[1:len(s)-1], quotedQuote, "'")
	case '"':
		return s[1 : len(s)-1]
	}
	return s
}

// nextVariable matches where, behind a comma, another NAME= begins.
var nextVariable = regexp.MustCompile(`,[A-Za-z_][A-Za-z0-9_.-]*=`)

// mergeEnv returns own with the variables of inherited that it doesn't set. An
// entry of inherited can hold several variables with commas between them.
func mergeEnv(own, inherited []string) ([]string, error) {
	merged := slices.Clone(own)
	set := map[string]bool{}
	for _, e := range own {
		name, _, _ := strings.Cut(e, "=")
		set[name] = true
	}
	for _, entry := range inherited {
		for _, e := range splitVariables(entry) {
			name, _, ok := strings.Cut(e, "=")
			if !ok || name == "" {
				return nil, drydock.Errorf(drydock.Invalid, "%q of the default environment is not NAME=VALUE", name)
			}
			if !set[name] {
				merged = append(merged, e)
			}
		}
	}
	return merged, nil
}

// splitVariables splits A=1,B=2; a comma inside of a value stays.
func splitVariables(s string) []string {
	var all []string
	for {
		at := nextVariable.FindStringIndex(s)
		if at == nil {
			return append(all, s)
		}
		all = append(all, s[:at[0]])
		s = s[at[0]+1:]
	}
}
