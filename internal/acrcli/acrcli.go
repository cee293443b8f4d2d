// Package acrcli is the maintenance client of a registry that scheduled tasks
// call as acr: it deletes tags and manifests by their names and ages. Its commands,
// flags and output are those of Azure's acr-cli.
package acrcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
)

// Surroundings are all that the program takes from where it runs.
type Surroundings struct {
	Version        string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string // NAME=value
	Now            func() time.Time
	HTTP           *http.Client         // that reaches registries
	Keychain       credentials.Keychain // of the user; nil for Docker's configuration
}

// System returns the surroundings of this process.
func System(version string) Surroundings {
	return Surroundings{
		Version: version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: os.Environ(), Now: time.Now, HTTP: http.DefaultClient,
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

// app is the program while it carries out one command line.
type app struct {
	Surroundings
	registry, user, password string
	configs                  []string
}

// statusInterrupted is the exit status after a signal.
const statusInterrupted = 130

// Run carries out a command line, without the program's name, and returns the
// exit status: 0, or 1 after an error.
func Run(ctx context.Context, s Surroundings, line []string) int {
	a := &app{Surroundings: s}
	root := a.root()
	root.SetArgs(line)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return statusInterrupted
	}
	fmt.Fprintln(s.Stderr, "Error: "+err.Error())
	return 1
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "acr", Short: "The maintenance client of a container registry",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	f := root.PersistentFlags()
	f.SortFlags = false
	f.StringVarP(&a.registry, "registry", "r", "", "login server or name of the registry (default: $"+defaultRegistry+", which is the run's in a step)")
	f.StringVarP(&a.user, "username", "u", "", "user name (default: what Docker's configuration has)")
	f.StringVarP(&a.password, "password", "p", "", "password of the user")
	f.StringArrayVarP(&a.configs, "config", "c", nil, "file with credentials, in the form of Docker's configuration (many)")
	root.AddCommand(a.purgeCommand(), a.tagCommand(), a.manifestCommand(), a.versionCommand())
	return root
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(*cobra.Command, []string) { a.say("Version: %s, Revision: drydock", a.Version) },
	}
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.Stdout, format+"\n", args...) }

// defaultRegistry is the variable with the login server of the registry that is
// meant without --registry.
const defaultRegistry = "ACR_DEFAULT_REGISTRY"

// loginServer returns the login server of the registry that is meant. A bare name
// is that of one beside the default registry, or else of the cloud that the
// environment names.
func (a *app) loginServer() (string, error) {
	usual := a.getenv(defaultRegistry)
	name := a.registry
	if name == "" {
		name = usual
	}
	if name == "" {
		return "", drydock.Errorf(drydock.Invalid, "unable to determine registry name, please use --registry flag")
	}
	if strings.ContainsAny(name, ".:") {
		return name, nil
	}
	if _, domain, ok := strings.Cut(usual, "."); ok {
		return name + "." + domain, nil
	}
	for _, c := range drydock.AzureClouds() {
		if c.Name == a.getenv("AZURE_CLOUD_NAME") {
			return c.Host(drydock.RegistryKind, name), nil
		}
	}
	return name + ".azurecr.io", nil
}
