package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock/internal/plan"
	"github.com/drydockhq/drydock/internal/runner"
)

// execOptions are the flags of `drydockd exec`.
type execOptions struct {
	task     taskFlags
	facts    factFlags
	run      runFlags
	engine   engineFlags
	defaults plan.Defaults
}

func (p *program) execCommand() *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec [flags] [SOURCE]",
		Short: "Run a task file",
		Long: `Run the task file of SOURCE: a folder (the default is the current one), a git
URL as https://HOST/REPOSITORY.git#REF:FOLDER, a tarball or its URL, - for a
tarball on standard input, oci://REGISTRY/REPOSITORY:TAG, or /dev/null for none.
A folder is never written to.

The exit status is 0, 1 for a task that failed, 2 for bad input, and 130 for an
interrupt.`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := o.task.source(args)
			if err != nil {
				return err
			}
			return p.exec(cmd.Context(), o, source)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.task.bind(flags)
	bindDefaults(flags, &o.defaults)
	o.facts.bind(flags)
	o.run.bind(flags)
	o.engine.bind(flags)
	return cmd
}

func bindDefaults(flags *pflag.FlagSet, d *plan.Defaults) {
	flags.StringArrayVar(&d.Env, "env", nil, "variable of every step, as `NAME=VALUE` (many)")
	flags.StringVar(&d.WorkingDirectory, "working-directory", "", "working `FOLDER` of steps that name none")
	flags.StringVar(&d.Network, "network", "", "`NETWORK` of steps that name none")
}

func (p *program) exec(ctx context.Context, o execOptions, source string) error {
	vault, err := openVaultFile(o.task.vault)
	if err != nil {
		return err
	}
	task, err := o.task.taskFile(p.stdin)
	if err != nil {
		return err
	}
	task.Input.Defaults, task.Input.Secrets = o.defaults, vault
	creds, err := o.run.parseCredentials(ctx, vault)
	if err != nil {
		return err
	}
	return p.carryOut(ctx, run{
		flags: o.run, engine: o.engine, credentials: creds,
		request: runner.Request{Source: source, Task: task, Facts: o.facts.facts(p)},
	})
}
