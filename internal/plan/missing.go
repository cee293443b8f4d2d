package plan

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// missingField is a field that a template printed and that has no value.
type missingField struct {
	name string // as ".Values.x"
	line int    // of the template
}

// field is called with each field that is printed as it stands. One that is
// missing prints nothing, which is seldom what its author wants.
func (g *guard) field(name string, line int, v any) (any, error) {
	if v == nil {
		g.missing = append(g.missing, missingField{name, line})
	}
	return g.out(v)
}

// plainField returns the name of the field that a pipeline prints, if it does
// nothing else.
func plainField(pipe *parse.PipeNode) (string, bool) {
	if len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return "", false
	}
	field, ok := pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok || len(field.Ident) < 2 {
		return "", false
	}
	return field.String(), true
}

// warnOfMissing keeps a sentence for each missing field of a template.
func (m *maker) warnOfMissing(fields []missingField, d document) {
	for _, f := range fields {
		warning := fmt.Sprintf("line %d: %s has no value and is left out", d.line(f.line), f.name)
		if value, ok := strings.CutPrefix(f.name, ".Values."); ok {
			warning += fmt.Sprintf(" (give it one with --set %s=VALUE)", value)
		}
		if !slices.Contains(m.warnings, warning) {
			m.warnings = append(m.warnings, warning)
		}
	}
}
