package plan_test

import (
	"testing"

	"github.com/drydockhq/drydock/internal/plan"
)

func BenchmarkMake(b *testing.B) {
	in := plan.Input{
		Task:  []byte("version: v1.1.0\nsteps:\n  - build: -t $Registry/a:$ID .\n  - cmd: $Registry/a:$ID\n  - push: [\"$Registry/a:$ID\"]\n"),
		Facts: facts(),
	}
	for b.Loop() {
		if _, err := plan.Make(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
