package dockercmd

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"text/template"

	"github.com/docker/cli/templates"
)

// parseTemplate parses a --format with docker's functions; \t and \n written as
// two characters mean tab and newline.
func parseTemplate(format string) (*template.Template, error) {
	format = strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(format)
	tmpl, err := templates.Parse(format)
	if err != nil {
		return nil, fmt.Errorf("template parsing error: %w", err)
	}
	return tmpl, nil
}

// tableHeader renders the column names with the layout of the rows.
func tableHeader(layout string, header any) (string, error) {
	tmpl, err := parseTemplate(layout)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := tmpl.Funcs(templates.HeaderFunctions).Execute(&b, header); err != nil {
		return "", fmt.Errorf("template parsing error: %w", err)
	}
	return b.String(), nil
}

// printLines writes lines, aligned at their tabs when they are a table.
func (k *call) printLines(lines []string, table bool) {
	text := ""
	if len(lines) > 0 {
		text = strings.Join(lines, "\n") + "\n"
	}
	if !table {
		k.printf("%s", text)
		return
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 10, 1, 3, ' ', 0)
	_, _ = w.Write([]byte(text)) // into memory
	_ = w.Flush()
	k.printf("%s", b.String())
}
