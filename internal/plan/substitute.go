package plan

import (
	"strings"

	"github.com/drydockhq/drydock"
)

// DefaultImages returns the image aliases that every task of version v1.1.0
// has, by the names of ACR's: a `cmd` may begin with one of them.
func DefaultImages() map[string]string {
	return map[string]string{
		"acr":  drydock.BuiltInImage("acr"),
		"az":   drydock.BuiltInImage("az"),
		"bash": "mcr.microsoft.com/acr/bash:2ff604c",
		"curl": "mcr.microsoft.com/acr/curl:2ff604c",
		"cssc": "mcr.microsoft.com/acr/cssc:2ff604c",
	}
}

// globalAliases returns the aliases that need no declaration.
func globalAliases(images map[string]string) map[string]string {
	if images == nil {
		images = DefaultImages()
	}
	all := map[string]string{}
	for _, name := range []string{"ID", "SharedVolume", "Registry", "RegistryName", "Date", "OS", "Architecture", "Commit", "Branch"} {
		all[name] = "{{.Run." + name + "}}"
	}
	for name, image := range images {
		all[name] = image
	}
	return all
}

// replace puts the values of aliases in their places: `$name` becomes its
// value, `$$` a `$`, and a name that is no alias stays as it is.
func (a aliases) replace(d document) (document, error) {
	var b builder
	for i, line := range d.split() {
		b.add(a.replaceLine(line), d.lines[i])
		if b.text.Len() > maxText {
			return document{}, drydock.Errorf(drydock.Invalid, "the aliases make the task larger than %d bytes", maxText)
		}
	}
	return b.document(), nil
}

func (a aliases) replaceLine(line string) string {
	directive := string(a.directive)
	if !strings.Contains(line, directive) {
		return line
	}
	var b strings.Builder
	for b.Len() <= maxText {
		before, after, found := strings.Cut(line, directive)
		b.WriteString(before)
		if !found {
			break
		}
		name := leadingName(after)
		value, known := a.values[name]
		switch {
		case strings.HasPrefix(after, directive):
			b.WriteString(directive)
			line = after[len(directive):]
			continue
		case known:
			b.WriteString(value)
		default:
			b.WriteString(directive + name)
		}
		line = after[len(name):]
	}
	return b.String()
}

// leadingName returns the letters and digits that s begins with.
func leadingName(s string) string {
	for i, r := range s {
		if !alphanumeric(r) {
			return s[:i]
		}
	}
	return s
}

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// expandCommand replaces the first word of a `cmd` when it is an alias. The
// value may hold a template, as aliases from a file can.
func (m *maker) expandCommand(cmd string, render func(string) (string, error)) (string, error) {
	trimmed := strings.TrimSpace(cmd)
	word := trimmed
	if i := strings.IndexAny(trimmed, " \t\n"); i >= 0 {
		word = trimmed[:i]
	}
	value, ok := m.aliases.values[word]
	if !ok || word == "" {
		return cmd, nil
	}
	value, err := render(value)
	if err != nil {
		return "", err
	}
	return value + trimmed[len(word):], nil
}
