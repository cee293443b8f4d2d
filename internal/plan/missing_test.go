package plan_test

import (
	"slices"
	"testing"

	"github.com/drydockhq/drydock/internal/plan"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	p, err := plan.Make(t.Context(), plan.Input{
		Set: []string{"given=x", "empty="},
		Task: []byte(`version: v1.1.0
alias:
  values:
    twice: "{{.Values.aliased}}"
steps:
  - cmd: bash echo {{.Values.given}} {{.Values.empty}} {{ .Values.missing }} $twice
  - cmd: bash echo {{.Values.missing | default "x"}} {{if .Values.missing}}y{{end}} {{.Run.Nope}}
  - cmd: bash echo {{.Values.missing}}
`),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"line 4: .Values.aliased has no value and is left out (give it one with --set aliased=VALUE)",
		"line 6: .Values.missing has no value and is left out (give it one with --set missing=VALUE)",
		"line 7: .Run.Nope has no value and is left out",
		"line 8: .Values.missing has no value and is left out (give it one with --set missing=VALUE)",
	}
	if !slices.Equal(p.Warnings, want) {
		t.Errorf("got:\n%q\nwant:\n%q", p.Warnings, want)
	}
}
