package plan

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// placeholder stands for each secret while a task is rendered for people. It
// must be a word for YAML, shells and templates.
const placeholder = "drydock-secret-value"

// Render returns a task as YAML with aliases and templates resolved. Secrets
// are neither read nor shown: *** stands for each. The task isn't validated
// beyond its syntax.
func Render(ctx context.Context, in Input) ([]byte, error) {
	for i, s := range in.SecretSet {
		if key, _, ok := strings.Cut(s, "="); ok {
			if i == 0 {
				in.SecretSet = append([]string(nil), in.SecretSet...)
			}
			in.SecretSet[i] = key + "=" + placeholder
		}
	}
	in.Secrets = hidden{}
	m, err := newMaker(in)
	if err != nil {
		return nil, err
	}
	out, err := m.renderYAML(ctx)
	if err != nil {
		return nil, m.report(err)
	}
	return out, nil
}

// hidden resolves every secret to the placeholder.
type hidden struct{}

func (hidden) Resolve(context.Context, drydock.Secret) (string, error) { return placeholder, nil }

func (m *maker) renderYAML(ctx context.Context) ([]byte, error) {
	rendered, err := m.rendered(ctx)
	if err != nil {
		return nil, err
	}
	top, _, err := parseYAML(rendered.text)
	if err != nil {
		return nil, m.locate(err, rendered)
	}
	if top == nil {
		return nil, nil
	}
	if err := m.finish(ctx, top, ""); err != nil {
		return nil, m.locate(err, rendered)
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(top); err != nil {
		return nil, drydock.Errorf(drydock.Internal, "writing the task as YAML: %w", err)
	}
	return out.Bytes(), enc.Close()
}

// finish expands the aliases of `cmd` and masks the secrets below n, the value
// of key.
func (m *maker) finish(ctx context.Context, n *yaml.Node, key string) error {
	if n.Kind == yaml.ScalarNode {
		if key == "cmd" {
			cmd, err := m.expandCommand(n.Value, func(s string) (string, error) { return m.renderText(ctx, s) })
			if err != nil {
				return err
			}
			n.Value = cmd
		}
		if value := maskPlaceholder(n.Value); value != n.Value {
			n.Value = value
			n.Style &^= yaml.LiteralStyle | yaml.FoldedStyle
			if n.Tag == "" {
				n.Tag = "!!str"
			}
		}
	}
	n.HeadComment, n.LineComment, n.FootComment = maskPlaceholder(n.HeadComment), maskPlaceholder(n.LineComment), maskPlaceholder(n.FootComment)
	for i, c := range n.Content {
		below := ""
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			below = n.Content[i-1].Value
		}
		if err := m.finish(ctx, c, below); err != nil {
			return err
		}
	}
	return nil
}

func maskPlaceholder(s string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(placeholder))
	return strings.NewReplacer(placeholder, masked, encoded, masked).Replace(s)
}
