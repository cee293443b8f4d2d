package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

func (p *program) adminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "Look after the server's admin",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var f configFlags
	reset := &cobra.Command{
		Use:   "reset [flags]",
		Short: "Give the admin a new secret; the old one ends",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := f.load(p.environ)
			if err != nil {
				return err
			}
			return p.resetAdmin(cmd.Context(), c.Data)
		},
	}
	f.bind(reset.Flags(), "data")
	cmd.AddCommand(reset)
	return cmd
}

func (p *program) resetAdmin(ctx context.Context, dir string) error {
	store, err := openData(ctx, dir)
	if err != nil {
		return err
	}
	defer store.Close()
	d := &auth.Directory{
		Principals: store, Roles: store, Settings: store, Hasher: auth.NewHasher(), Now: p.now, NewID: uuid.NewString,
	}
	var c *auth.Credentials
	err = p.noted(ctx, store, drydock.AuditRecord{
		Name: "drydockd admin reset", Action: "Microsoft.Graph/servicePrincipals/addPassword POST", Target: "/v1.0/servicePrincipals",
	}, func() (err error) {
		c, err = d.ResetAdmin(ctx)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "client id  %s\nsecret     %s\n", c.AppID, c.Secret)
	return err
}
