package main

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/identity"
)

// loginFor is how long an identity's login to a registry is good at most: longer
// than any run takes, with which it ends in any case.
const loginFor = 9 * time.Hour

// openIdentities opens what the identities of tasks are used by: their runs, and
// the server on their behalf.
func (d *daemon) openIdentities() {
	d.keyring = &identity.Keyring{
		Directory: taskIdentities{d}, Principals: d.store, Vaults: d.vaults, Tokens: d.authority, Registries: taskIdentities{d}, Roles: d.store,
		Lifetime: loginFor,
	}
	d.managed = auth.NewManagedIdentity(d.authority, taskIdentities{d}.Identities, d.log)
}

// taskIdentities finds what a keyring needs. The resource manager is opened later
// than what carries out runs.
type taskIdentities struct{ *daemon }

var (
	_ identity.Directory  = taskIdentities{}
	_ identity.Registries = taskIdentities{}
)

// Identities implements identity.Directory.
func (t taskIdentities) Identities(ctx context.Context, resource drydock.ResourceID) (drydock.Identities, error) {
	return t.arm.Identities(ctx, resource)
}

// RegistryAt implements identity.Registries.
func (t taskIdentities) RegistryAt(ctx context.Context, host string) (drydock.ResourceID, error) {
	_, kind, name, ours := t.names.find(host)
	if !ours || kind != drydock.RegistryKind {
		return drydock.ResourceID{}, drydock.Errorf(drydock.NotFound, "%s is not a registry of this server", host)
	}
	r, err := registryDirectory(t).Registry(ctx, name)
	return r.ID, err
}
