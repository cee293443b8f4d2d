package engine

import (
	"slices"
	"testing"

	"github.com/drydockhq/drydock"
)

func TestAlone(t *testing.T) {
	t.Parallel()
	plan := func(steps ...drydock.Step) *run { return newRun(&Engine{}, &drydock.Plan{Steps: steps}, RunSpec{}) }
	tests := map[string]struct {
		run  *run
		want []string // steps that run while no other can
	}{
		"one":         {plan(drydock.Step{ID: "a"}), []string{"a"}},
		"in a row":    {plan(drydock.Step{ID: "a"}, drydock.Step{ID: "b", When: []string{"a"}}, drydock.Step{ID: "c", When: []string{"b"}}), []string{"a", "b", "c"}},
		"parallel":    {plan(drydock.Step{ID: "a"}, drydock.Step{ID: "b"}), nil},
		"fork":        {plan(drydock.Step{ID: "a"}, drydock.Step{ID: "b", When: []string{"a"}}, drydock.Step{ID: "c", When: []string{"a"}}), []string{"a"}},
		"join":        {plan(drydock.Step{ID: "c", When: []string{"a", "b"}}, drydock.Step{ID: "a"}, drydock.Step{ID: "b"}), []string{"c"}},
		"server runs": {plan(drydock.Step{ID: "a", Detach: true}, drydock.Step{ID: "b", When: []string{"a"}}), []string{"a"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for i := range tt.run.jobs {
				if tt.run.alone(&tt.run.jobs[i]) {
					got = append(got, tt.run.jobs[i].ID)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("alone: %v, want %v", got, tt.want)
			}
		})
	}
}
