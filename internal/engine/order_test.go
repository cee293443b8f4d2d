package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
)

// TestOrderOfAnyPlan carries out random plans and checks that each step ran
// once, after all that it waits for.
func TestOrderOfAnyPlan(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		steps := randomPlan(random)
		var mu sync.Mutex
		var ended []string
		b := setup()
		b.fake.Programs = map[string]enginetest.Program{"img": func(_ context.Context, p *enginetest.Process) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, p.Name)
			return 0, nil
		}}
		if _, err := run(t, b, steps...); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(ended) != len(steps) {
			t.Fatalf("seed %d: %d of %d steps ran", seed, len(ended), len(steps))
		}
		for _, s := range steps {
			for _, before := range s.When {
				if slices.Index(ended, before) > slices.Index(ended, s.ID) {
					t.Fatalf("seed %d: %s ran before %s; order %v", seed, s.ID, before, ended)
				}
			}
		}
	}
}

// randomPlan returns steps in an order that has nothing to do with what they
// wait for.
func randomPlan(random *rand.Rand) []drydock.Step {
	var steps []drydock.Step
	for i := range 1 + random.IntN(12) {
		step := cmd(fmt.Sprintf("s%d", i), "img")
		for j := range i {
			if random.IntN(4) == 0 {
				step.When = append(step.When, fmt.Sprintf("s%d", j))
			}
		}
		steps = append(steps, step)
	}
	random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return steps
}
