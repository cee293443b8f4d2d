package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock/internal/plan"
)

// renderOptions are the flags of `drydockd render`.
type renderOptions struct {
	task     taskFlags
	facts    factFlags
	defaults plan.Defaults
}

func (p *program) renderCommand() *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "render [flags] [SOURCE]",
		Short: "Print a task file as it would run",
		Long: `Print the task file of SOURCE as YAML, with its aliases and templates resolved
and its secrets masked. Nothing is run, and the steps are not checked: exec
--dry-run does that.`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := o.task.source(args)
			if err != nil {
				return err
			}
			return p.render(cmd.Context(), o, source)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.task.bind(flags)
	bindDefaults(flags, &o.defaults)
	o.facts.bind(flags)
	return cmd
}

func (p *program) render(ctx context.Context, o renderOptions, source string) (err error) {
	vault, err := openVaultFile(o.task.vault)
	if err != nil {
		return err
	}
	task, err := o.task.taskFile(p.stdin)
	if err != nil {
		return err
	}
	task.Input.Defaults, task.Input.Secrets = o.defaults, vault
	keychain, err := p.keychain()
	if err != nil {
		return err
	}
	checkout, err := p.fetcher(engineOptions{keychain: keychain}, nil, nil).Fetch(ctx, source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, checkout.Release()) }()
	text, err := task.Render(ctx, checkout, o.facts.facts(p))
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return err
}
