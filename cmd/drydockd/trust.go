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
	"github.com/drydockhq/drydock/internal/sqlstore"
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
the server's own domain only. The data folder knows the domain and the port; with
--ca, on another machine, --domain and --port name them.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, values, err := o.config.load(p.environ)
			if err != nil {
				return err
			}
			names := hostNames{c.Domain, c.Port}
			if o.ca == "" {
				if names, err = serverNames(c, values); err != nil {
					return err
				}
			}
			if o.remove {
				return p.distrust(cmd.Context(), names)
			}
			if o.ca == "" {
				if err := registriesExist(cmd.Context(), c.Data, args); err != nil {
					return err
				}
				o.ca = filepath.Join(c.Data, certsFolder, certs.CertificateFile)
			}
			return p.trust(cmd.Context(), names, o.ca, args)
		},
	}
	flags := cmd.Flags()
	o.config.bind(flags, "data", "domain", "listen", "port")
	flags.StringVar(&o.ca, "ca", "", "certificate authority, a `FILE` (default: ca.pem of the data folder)")
	flags.BoolVar(&o.remove, "remove", false, "take it away again")
	return cmd
}

// registriesExist checks that the server of a data folder has registries of these
// names.
func registriesExist(ctx context.Context, dir string, registries []string) (err error) {
	database := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(database); err != nil || len(registries) == 0 {
		return nil // only the authority was copied here
	}
	store, err := sqlstore.Open(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for _, name := range registries {
		if err := drydock.CheckRegistryName(name); err != nil {
			return err
		}
		found, err := store.Resources(ctx, drydock.ResourceFilter{Type: registryType, Name: name})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return drydock.Errorf(drydock.NotFound, "the server has no registry %q", name).
				WithHint("drydock acr list shows those that it has")
		}
	}
	return nil
}

func (p *program) trust(ctx context.Context, names hostNames, file string, registries []string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "reading the certificate authority: %w", err).
			WithHint("start the server once, or name the file with --ca")
	}
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
	written, err := p.trustStore.Add(ctx, names.domain, pem)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, written)
	return err
}

func (p *program) distrust(ctx context.Context, names hostNames) error {
	return errors.Join(p.trustStore.RemoveDocker(names.domain), p.trustStore.Remove(ctx, names.domain))
}
