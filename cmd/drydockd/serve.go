package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock/internal/config"
)

func (p *program) serveCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Run the server: registries, tasks, runs",
		Long: `Run the server until it is told to end (SIGTERM): registries, tasks and runs
behind the API of Azure Container Registry. Everything is kept in one folder.

Each setting is a flag, a variable in the environment (--retention-logs is
$DRYDOCK_RETENTION_LOGS) and an entry of the configuration file (retention:
logs:). Flags are stronger than the environment, and that than the file.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := f.load(p.environ)
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), c)
		},
	}
	cmd.Flags().SortFlags = false
	f.bind(cmd.Flags())
	return cmd
}

func (p *program) serve(ctx context.Context, c config.Config) error {
	// BuildKit and the libraries for registries look there for proxies.
	for _, text := range c.Proxy.Environ(nil) {
		name, value, _ := strings.Cut(text, "=")
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	log := slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: logLevel(c.LogLevel)}))
	d, err := p.openDaemon(ctx, c, log)
	if err != nil {
		return err
	}
	if err := d.guardBuilds(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	return d.serve(ctx)
}

func logLevel(name string) slog.Level {
	var level slog.Level
	// The configuration knows none but slog's names.
	_ = level.UnmarshalText([]byte(name))
	return level
}
