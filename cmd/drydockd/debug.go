package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/logs"
	"github.com/drydockhq/drydock/internal/runner"
)

// shownTask prints what a task became before it runs.
type shownTask struct {
	runner.Planner
	log    *logs.Log
	masker *logs.Masker // that of log
}

// Plan implements runner.Planner.
func (t *shownTask) Plan(ctx context.Context, c *runner.Checkout, facts drydock.RunFacts) (*drydock.Plan, error) {
	plan, err := t.Planner.Plan(ctx, c, facts)
	if err != nil {
		return nil, err
	}
	t.masker.Add(plan.SecretValues...)
	var text []byte
	switch task := t.Planner.(type) {
	case *runner.TaskFile:
		text, err = task.Render(ctx, c, facts)
	default:
		for _, step := range plan.Steps {
			text = fmt.Appendf(text, "%s: %s\n", step.Kind(), cmp.Or(step.Build, step.Cmd, strings.Join(step.Push, " ")))
		}
	}
	if err != nil {
		return nil, err
	}
	t.log.Printf("Rendered task:")
	out := t.log.Stream("", "")
	if _, err := out.Write(text); err != nil {
		return nil, fmt.Errorf("printing the rendered task: %w", err)
	}
	return plan, out.Close()
}
