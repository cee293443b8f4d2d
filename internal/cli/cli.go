// Package cli is the client: the commands of the Azure CLI for registries and
// tasks, with its names, flags, habits and tables.
//
// Resources are sent and shown as the JSON that they are: the types of the
// Azure SDK would drop what they do not know, on the way there and back. Of the
// SDK the client uses the pipeline (tokens, retries, long-running operations),
// the identities and the blob client.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// Surroundings are all that the client takes from where it runs.
type Surroundings struct {
	Name           string // of the program: drydock, or az
	Version        string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string // NAME=value
	Now            func() time.Time
	Sleep          func(context.Context, time.Duration) error
}

// System returns the surroundings of this process.
func System(name, version string) Surroundings {
	return Surroundings{
		Name: name, Version: version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: os.Environ(), Now: time.Now, Sleep: sleep,
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s Surroundings) getenv(name string) string {
	for i := len(s.Environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(s.Environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// app is the client while it carries out one command line.
type app struct {
	Surroundings
	store  profile.Store
	global globalFlags
}

// globalFlags are those of all commands.
type globalFlags struct {
	output       args.Enum
	query        string
	subscription string
	debug        bool
	verbose      bool
	onlyErrors   bool
}

// Run carries out a command line, without the program's name, and returns the
// exit status: that of the Azure CLI, or of the run that was waited for.
func Run(ctx context.Context, s Surroundings, line []string) int {
	a := &app{Surroundings: s}
	return a.report(ctx, a.run(ctx, line))
}

func (a *app) run(ctx context.Context, line []string) error {
	dir, err := profile.Folder(a.getenv, os.UserConfigDir)
	if err != nil {
		return err
	}
	a.store = profile.Store{Dir: dir}
	root := a.root()
	e := args.Expander{Root: root, ReadFile: os.ReadFile, Stdin: a.Stdin}
	cmd, rest, err := e.Expand(line)
	var unknown *args.UnknownCommandError
	if errors.As(err, &unknown) {
		return unknownCommand(unknown)
	}
	if err != nil {
		return usageError(cmd, err)
	}
	root.SetArgs(append(strings.Fields(cmd.CommandPath())[1:], rest...))
	return root.ExecuteContext(ctx)
}

// root returns the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: a.Name, Short: "Build container images and keep them patched",
		SilenceErrors: true, SilenceUsage: true, Version: a.Version,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(usageError)
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	g := &a.global
	g.output = args.Enum{Value: "json", Choices: output.Formats()}
	f := root.PersistentFlags()
	f.SortFlags = false
	f.VarP(&g.output, "output", "o", "output format")
	f.StringVar(&g.query, "query", "", "JMESPath query on the result")
	f.StringVar(&g.subscription, "subscription", "", "name or id of the subscription")
	f.BoolVar(&g.debug, "debug", false, "show the requests to the server and how long they took")
	f.BoolVar(&g.verbose, "verbose", false, "the same as --debug")
	f.BoolVar(&g.onlyErrors, "only-show-errors", false, "say nothing but errors")
	for _, c := range a.commands() {
		a.add(root, c)
	}
	return root
}

// colors reports whether a stream is a terminal that may have colours.
func (a *app) colors(stream any) bool {
	if a.getenv("NO_COLOR") != "" || strings.EqualFold(a.getenv("AZURE_CORE_NO_COLOR"), "true") || a.getenv("TERM") == "dumb" {
		return false
	}
	return isTerminal(stream)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
