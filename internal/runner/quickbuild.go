package runner

import (
	"context"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

// QuickBuild plans the build of one image without a task file.
type QuickBuild struct {
	Build  plan.QuickBuild
	Values ValuesFile
	// Input holds the rest: Set and Defaults.
	Input plan.Input
}

var _ Planner = (*QuickBuild)(nil)

// Plan implements Planner.
func (q *QuickBuild) Plan(ctx context.Context, c *Checkout, facts drydock.RunFacts) (*drydock.Plan, error) {
	in := q.Input
	in.Facts = facts
	var err error
	if in.Values, err = q.Values.read(c); err != nil {
		return nil, err
	}
	return plan.MakeQuickBuild(ctx, in, q.Build)
}
