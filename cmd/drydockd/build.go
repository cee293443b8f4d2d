package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
	"github.com/drydockhq/drydock/internal/runner"
)

// buildOptions are the flags of `drydockd build`.
type buildOptions struct {
	build      plan.QuickBuild
	workingDir string
	vault      string
	values     valueFlags
	facts      factFlags
	run        runFlags
	engine     engineFlags
}

func (p *program) buildCommand() *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build [flags] SOURCE",
		Short: "Build an image, and with --push push it",
		Long: `Build the Dockerfile of SOURCE, which is what it is for exec. A name given with
-t that has no registry is one in the run's registry (-r). What the flags say of
the build may hold templates such as {{.Run.ID}}.`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.build(cmd.Context(), o, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	bindBuild(flags, &o.build)
	flags.StringVar(&o.workingDir, "working-directory", "", "`FOLDER` that the build starts in")
	bindVault(flags, &o.vault)
	o.values.bind(flags)
	o.facts.bind(flags)
	o.run.bind(flags)
	o.engine.bind(flags)
	return cmd
}

func bindBuild(flags *pflag.FlagSet, b *plan.QuickBuild) {
	flags.StringVarP(&b.Dockerfile, "file", "f", "", "Dockerfile: a `FILE`, relative to SOURCE")
	flags.StringArrayVarP(&b.Tags, "tag", "t", nil, "`NAME` of the image (many)")
	flags.BoolVar(&b.Push, "push", false, "push the image")
	flags.StringArrayVar(&b.Args, "build-arg", nil, "build argument, as `NAME=VALUE` (many)")
	flags.StringArrayVar(&b.SecretArgs, "secret-build-arg", nil, "the same, masked and kept out of the image, as `NAME=VALUE` (many)")
	flags.StringArrayVar(&b.Labels, "label", nil, "label of the image, as `NAME=VALUE` (many)")
	flags.StringVar(&b.Target, "target", "", "`STAGE` to build")
	flags.StringVar(&b.Platform, "platform", "", "`PLATFORM` to build for, several with commas (default: linux/amd64)")
	flags.StringVar(&b.Isolation, "isolation", "", "accepted in the `FORM` that acb has; without meaning on Linux")
	flags.BoolVar(&b.Pull, "pull", false, "ask the registries for newer base images")
	flags.BoolVar(&b.NoCache, "no-cache", false, "build every step anew")
}

func (p *program) build(ctx context.Context, o buildOptions, source string) error {
	switch o.build.Isolation {
	case "", "default", "process", "hyperv":
	default:
		return drydock.Errorf(drydock.Invalid, "--isolation %q is not known", o.build.Isolation).
			WithHint("default, process and hyperv are")
	}
	vault, err := openVaultFile(o.vault)
	if err != nil {
		return err
	}
	values, err := o.values.file()
	if err != nil {
		return err
	}
	creds, err := o.run.parseCredentials(ctx, vault)
	if err != nil {
		return err
	}
	for _, c := range creds {
		o.build.Registries = append(o.build.Registries, c.Registry)
	}
	// The source is fetched into the workspace, where the build starts.
	o.build.Context = "."
	task := &runner.QuickBuild{
		Build:  o.build,
		Values: values,
		Input:  plan.Input{Set: o.values.set, Defaults: plan.Defaults{WorkingDirectory: o.workingDir}},
	}
	return p.carryOut(ctx, run{
		flags: o.run, engine: o.engine, credentials: creds,
		request: runner.Request{Source: source, Task: task, Facts: o.facts.facts(p)},
	})
}
