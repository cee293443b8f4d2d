package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/certs"
	"github.com/drydockhq/drydock/internal/config"
)

// trustOptions are the flags of `drydockd trust`.
type trustOptions struct {
	config configFlags
	ca     string
	remove bool
}

func (p *program) trustCommand() *cobra.Command {
	var o trustOptions
	cmd := &cobra.Command{
		Use:   "trust [flags] [REGISTRY]...",
		Short: "Make this machine trust a server's certificate",
		Long: `Put the server's certificate authority where the clients of this machine look: in
the system's store, and for the registries that are named in Docker's folder,
where a running Docker finds it without a restart. The authority can speak for
the server's own domain only.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := o.config.load(p.environ)
			if err != nil {
				return err
			}
			if o.remove {
				return p.distrust(cmd.Context(), c)
			}
			return p.trust(cmd.Context(), c, o.ca, args)
		},
	}
	flags := cmd.Flags()
	o.config.bind(flags, "data", "domain", "listen", "port")
	flags.StringVar(&o.ca, "ca", "", "certificate authority, a `FILE` (default: ca.pem of the data folder)")
	flags.BoolVar(&o.remove, "remove", false, "take it away again")
	return cmd
}

func (p *program) trust(ctx context.Context, c config.Config, file string, registries []string) error {
	if file == "" {
		file = filepath.Join(c.Data, certsFolder, certs.CertificateFile)
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "reading the certificate authority: %w", err).
			WithHint("start the server once, or name the file with --ca")
	}
	names := hostNames{c.Domain, c.Port}
	for _, registry := range registries {
		if err := drydock.CheckRegistryName(registry); err != nil {
			return err
		}
		written, err := p.trustStore.AddDocker(names.loginServer(registry), pem)
		if err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, written)
	}
	written, err := p.trustStore.Add(ctx, c.Domain, pem)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, written)
	return err
}

func (p *program) distrust(ctx context.Context, c config.Config) error {
	return errors.Join(p.trustStore.RemoveDocker(c.Domain), p.trustStore.Remove(ctx, c.Domain))
}
