package main

import (
	"context"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// openAuth opens the authority and makes the admin at the first start.
func (d *daemon) openAuth(ctx context.Context) error {
	tenant, err := auth.Tenant(ctx, d.store, uuid.NewString)
	if err != nil {
		return err
	}
	if d.subscription, err = auth.Subscription(ctx, d.store, uuid.NewString); err != nil {
		return err
	}
	keys, err := (&auth.Keys{Settings: d.store, Sealer: d.sealer, Now: d.now}).Load(ctx)
	if err != nil {
		return err
	}
	hasher := auth.NewHasher()
	d.directory = &auth.Directory{
		Principals: d.store, Roles: d.store, Settings: d.store, Hasher: hasher, Now: d.now, NewID: uuid.NewString,
	}
	d.authority = auth.NewAuthority(auth.Config{
		Keys: keys, Principals: d.store, Runs: d.store, Groups: d.groupCreated, Hasher: hasher,
		Tenant: tenant, LoginURL: d.names.url(loginHost), Resources: d.resources(),
		Provider: d.provider(), Now: d.now, NewID: uuid.NewString,
	})
	d.admin, err = d.directory.Admin(ctx, d.subscription)
	return err
}

// resources are the names by which clients ask for tokens for the services: their
// own, and those of Azure's clouds, which are built into clients.
func (d *daemon) resources() map[auth.Audience][]string {
	all := map[auth.Audience][]string{}
	for _, c := range append([]drydock.Cloud{d.names.cloud()}, drydock.AzureClouds()...) {
		for audience, kind := range map[auth.Audience]drydock.HostKind{
			auth.Management: drydock.ManagementHost, auth.Registry: drydock.RegistryKind, auth.Graph: drydock.GraphHost, auth.Vault: drydock.VaultKind,
		} {
			all[audience] = append(all[audience], c.Audiences(kind)...)
		}
	}
	return all
}
