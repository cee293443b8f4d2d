package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/audit"
	"github.com/drydockhq/drydock/internal/vault"
)

const (
	// vaultKeyFile holds the key that the vaults' keys are encrypted with, unless
	// that is in a key management service.
	vaultKeyFile = "keys/vault.key"
	vaultType    = "Microsoft.KeyVault/vaults"
)

// openVaults opens the audit log and the secrets of vaults.
func (d *daemon) openVaults(ctx context.Context) error {
	d.audit = audit.New(d.store, d.log)
	d.closing(d.audit.Close)
	keys, err := vault.OpenKeys(ctx, d.store, vault.Opener{Dir: d.config.Data}, d.vaultKey())
	if err != nil {
		return err
	}
	d.vaults = vault.NewService(vault.Config{
		Store: d.store, Keys: keys, Directory: vaultDirectory{d}, Roles: d.store, Audit: d.audit,
		Tenant: d.authority.Tenant(), Suffix: d.names.cloud().Vaults,
		Log: d.log, Now: d.now, NewID: uuid.NewString,
	})
	return nil
}

// vaultKey names what the vaults' keys are encrypted with.
func (d *daemon) vaultKey() string { return vaultKeyFile }

// vaultHandler returns the handler of the hosts of vaults. It names the authority
// by the cloud in which it was asked.
func (d *daemon) vaultHandler() http.Handler {
	return vault.NewHandler(d.vaults, d.authority, func(r *http.Request) string {
		return drydock.CloudOf(r.Context(), d.names.cloud()).URL(drydock.LoginHost, "") + "/" + d.authority.Tenant()
	})
}

// vaultDirectory finds vaults among the resources.
type vaultDirectory struct{ d *daemon }

var _ vault.Directory = vaultDirectory{}

// Vault implements vault.Directory.
func (v vaultDirectory) Vault(ctx context.Context, name string) (drydock.Vault, error) {
	found, err := v.d.store.Resources(ctx, drydock.ResourceFilter{Type: vaultType, Name: name})
	if err != nil {
		return drydock.Vault{}, err
	}
	if len(found) == 0 {
		return drydock.Vault{}, drydock.Errorf(drydock.NotFound, "there is no key vault %s", name)
	}
	return arm.VaultOf(found[0])
}

// purgeVaults ends what was deleted from vaults and not recovered in time.
func (d *daemon) purgeVaults(ctx context.Context) {
	if err := d.store.PurgeDue(ctx, d.now()); err != nil && ctx.Err() == nil {
		d.log.WarnContext(ctx, "purging what was deleted from vaults", "error", err)
	}
}

// vaultKeyKept says of a backup where the key of its vaults is.
func vaultKeyKept(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
