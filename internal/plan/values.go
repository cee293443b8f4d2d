package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// values merges --values, --set and --set-secret, the later stronger.
func (m *maker) values() (map[string]any, error) {
	values, err := parseValues(m.in.Values)
	if err != nil {
		return nil, err
	}
	for _, s := range m.in.Set {
		key, value, err := keyValue("--set", s)
		if err != nil {
			return nil, err
		}
		values[key] = value
	}
	for _, s := range m.in.SecretSet {
		key, value, err := keyValue("--set-secret", s)
		if err != nil {
			return nil, err
		}
		values[key] = value
		m.keepSecret(value)
	}
	return values, nil
}

// keyValue splits KEY=VALUE. The error doesn't show a value.
func keyValue(flag, s string) (key, value string, err error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return "", "", drydock.Errorf(drydock.Invalid, "%s has an entry without a key or without a value", flag).
			WithHint("write %s KEY=VALUE", flag)
	}
	return key, value, nil
}

// keepSecret adds a value that must not be seen.
func (m *maker) keepSecret(value string) {
	if value != "" && !slices.Contains(m.secrets, value) {
		m.secrets = append(m.secrets, value)
	}
}

// parseValues reads a values file.
func parseValues(data []byte) (map[string]any, error) {
	if len(data) > maxFile {
		return nil, drydock.Errorf(drydock.Invalid, "the values file has %d bytes; at most %d are read", len(data), maxFile)
	}
	top, _, err := parseYAML(normalise(data))
	if err != nil {
		return nil, inValues(err)
	}
	if isNull(top) {
		return map[string]any{}, nil
	}
	if resolveAlias(top).Kind != yaml.MappingNode {
		return nil, inValues(invalid(top, "the values file must be a map of names and values, not %s", kindOf(top)))
	}
	plainOld(top)
	var v any
	if err := top.Decode(&v); err != nil {
		return nil, inValues(syntaxError(err))
	}
	values, ok := stringKeys(v).(map[string]any)
	if !ok {
		return nil, inValues(invalid(top, "the values file must be a map of names and values"))
	}
	return values, nil
}

// inValues names the file that an error is in.
func inValues(err error) error {
	var e *drydock.Error
	if errors.As(err, &e) {
		e.File = "values"
	}
	return err
}

// plainOld gives scalars the types that they have in ACR, whose parser is one
// of YAML 1.1: yes, no, on and off are booleans, dates are text.
func plainOld(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		switch n.ShortTag() {
		case "!!timestamp":
			n.Tag = "!!str"
		case "!!str":
			if b, ok := oldBool(n); ok {
				n.Tag, n.Value = "!!bool", fmt.Sprint(b)
			}
		}
	}
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			plainOld(c)
		}
	}
}

// oldBool reads the booleans of YAML 1.1 that 1.2 lacks.
func oldBool(n *yaml.Node) (value, ok bool) {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return false, false
	}
	switch n.Value {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
		return true, true
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		return false, true
	}
	return false, false
}

// stringKeys makes every map one that templates and JSON can take.
func stringKeys(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = stringKeys(v[k])
		}
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[fmt.Sprint(k)] = stringKeys(e)
		}
		return m
	case []any:
		for i := range v {
			v[i] = stringKeys(v[i])
		}
	}
	return v
}
