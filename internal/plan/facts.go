package plan

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/drydockhq/drydock"
)

// dateFormat is yyyyMMdd-HHmmssz, with a lower-case z.
const dateFormat = "20060102-150405z"

// templateData returns the roots of the templates.
func templateData(f drydock.RunFacts, values map[string]any) (map[string]any, error) {
	run := runVariables(f)
	valuesJSON, err := json.Marshal(values)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "writing the values as JSON: %w", err)
	}
	runJSON, err := json.Marshal(run)
	if err != nil {
		return nil, fmt.Errorf("writing the run variables as JSON: %w", err)
	}
	return map[string]any{
		"Build":      map[string]any{"ID": f.ID},
		"Run":        run,
		"Values":     values,
		"ValuesJSON": shellQuote(string(valuesJSON)),
		"RunJSON":    shellQuote(string(runJSON)),
		"Secrets":    map[string]any{},
	}, nil
}

func runVariables(f drydock.RunFacts) map[string]any {
	name, _, _ := strings.Cut(f.Registry, ".")
	return map[string]any{
		"ID":           f.ID,
		"TaskName":     f.TaskName,
		"Registry":     f.Registry,
		"RegistryName": name,
		"Date":         f.Date.UTC().Format(dateFormat),
		"SharedVolume": f.SharedVolume,
		"OS":           f.OS,
		"OSVersion":    f.OSVersion,
		"Architecture": f.Architecture,
		"Commit":       f.Commit,
		"Branch":       f.Branch,
		"Repository":   f.Repository,
		"GitTag":       f.GitTag,
		"TriggeredBy":  f.TriggeredBy,
	}
}

// shellSafe matches text that a shell takes as one word as it is.
var shellSafe = regexp.MustCompile(`^[\w^@=+%,:./-]+$`)

// shellQuote makes s one word for the command language.
func shellQuote(s string) string {
	if shellSafe.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", quotedQuote) + "'"
}

// quotedQuote is a single quote inside of a single-quoted word.
const quotedQuote = `'"'"'`
