package main

import (
	"context"
	"path/filepath"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/oci"
)

// openRegistries opens the registries' content.
func (d *daemon) openRegistries(ctx context.Context) error {
	secret, err := secretSetting(ctx, d.store, d.sealer, "oci/upload-secret")
	if err != nil {
		return err
	}
	storage, err := oci.NewStorage(d.config.Storage, filepath.Join(d.config.Data, registryFolder))
	if err != nil {
		return err
	}
	if err := storage.Check(ctx); err != nil {
		return err
	}
	d.oci = oci.New(oci.Options{
		Directory: registryDirectory{d}, Authorizer: d.registryAuthorizer(), Store: d.store,
		Storage: storage, Secret: secret, Log: d.log,
	})
	d.closing(d.oci.Close)
	return nil
}

// registryDirectory finds registries by their names.
type registryDirectory struct{ *daemon }

var _ oci.Directory = registryDirectory{}

// Registry implements oci.Directory.
func (r registryDirectory) Registry(ctx context.Context, name string) (oci.Registry, error) {
	found, err := r.store.Resources(ctx, drydock.ResourceFilter{
		Below: drydock.ResourceID{Subscription: r.subscription}, Type: registryType, Name: name,
	})
	if err != nil {
		return oci.Registry{}, err
	}
	going := false
	if len(found) > 0 {
		if going, err = arm.Deleting(found[0]); err != nil {
			return oci.Registry{}, err
		}
	}
	if len(found) == 0 || going {
		return oci.Registry{}, drydock.Errorf(drydock.NotFound, "there is no registry %q", name)
	}
	return oci.Registry{ID: found[0].ID, LoginServer: drydock.CloudOf(ctx, r.names.cloud()).Host(drydock.RegistryKind, found[0].ID.Name())}, nil
}

// usage measures registries by what they hold.
func (d *daemon) usage() arm.Usage { return registryUsage{d} }

type registryUsage struct{ *daemon }

// Size implements arm.Usage.
func (u registryUsage) Size(ctx context.Context, registry drydock.ResourceID) (int64, error) {
	return u.store.Usage(ctx, registry)
}
