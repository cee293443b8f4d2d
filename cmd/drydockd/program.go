package main

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/certs"
)

// program is drydockd with all that it takes from its surroundings.
type program struct {
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	environ []string // NAME=value
	euid    int
	now     func() time.Time
	newID   func() string // of a run that was given none
	open    openExecutor

	trustStore *certs.TrustStore
}

func newProgram() *program {
	return &program{
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		environ: os.Environ(),
		euid:    os.Geteuid(),
		now:     time.Now,
		newID:   newRunID,
		open:    openBuildKit,

		trustStore: certs.System(),
	}
}

// newRunID returns a short id such as ACR gives to its runs: it becomes part of
// tags, so it has to be fit for people to read and type.
func newRunID() string {
	return strings.ToLower(rand.Text()[:6])
}

// run carries out a command line and returns the exit status.
func (p *program) run(ctx context.Context, args []string) int {
	root := p.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return p.report(ctx, err)
}

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "drydockd",

		SuggestionsMinimumDistance: 2,
		Short:                      "Run ACR task files on this machine",
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       knownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, err) })
	root.AddCommand(
		p.execCommand(),
		p.buildCommand(),
		p.renderCommand(),
		p.serveCommand(),
		p.configCommand(),
		p.trustCommand(),
		p.adminCommand(),
		p.vaultCommand(),
		p.auditCommand(),
		p.backupCommand(),
		p.restoreCommand(),
		p.duCommand(),
		p.pruneCommand(),
		p.versionCommand(),
		p.connectCommand(),
		p.enterCommand(),
	)
	return root
}

// knownCommand refuses what is no command, and names one that is nearly it.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := drydock.Errorf(drydock.Invalid, "unknown command %q", args[0])
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return err.WithHint("did you mean %s?", near[0])
	}
	return err.WithHint("see %s --help", root.Name())
}

// usage makes errors of an argument check ones that users meet.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError(cmd, err)
		}
		return nil
	}
}

func usageError(cmd *cobra.Command, err error) error {
	return drydock.Errorf(drydock.Invalid, "%w", err).WithHint("see %s --help", cmd.CommandPath())
}
