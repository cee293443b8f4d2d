package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/audit"
	"github.com/drydockhq/drydock/internal/vault"
)

const vaultType = "Microsoft.KeyVault/vaults"

// openVaults opens the audit log and the secrets of vaults.
func (d *daemon) openVaults(ctx context.Context) error {
	d.audit = audit.New(d.store, d.log)
	d.closing(d.audit.Close)
	keys, err := vault.OpenKeys(ctx, d.store, vault.Opener{Dir: d.config.Data}, d.config.Vaults.Key)
	if err != nil {
		return err
	}
	sources, err := d.vaultSources()
	if err != nil {
		return err
	}
	d.vaults = vault.NewService(vault.Config{
		Store: d.store, Keys: keys, Directory: vaultDirectory{d}, Roles: d.store, Audit: d.audit,
		Tenant: d.authority.Tenant(), Suffix: d.names.cloud().Vaults,
		Sources: sources, Azure: d.azureVaults(), Log: d.log, Now: d.now, NewID: uuid.NewString,
	})
	return nil
}

// vaultSources opens the stores of vaults whose secrets are elsewhere.
func (d *daemon) vaultSources() (map[string]vault.Source, error) {
	sources := map[string]vault.Source{}
	for name, text := range d.config.Vaults.Stores {
		source, err := vault.OpenSource(text, d.environ)
		if err != nil {
			return nil, fmt.Errorf("the vault %s: %w", name, err)
		}
		sources[name] = source
	}
	return sources, nil
}

// isStoredElsewhere reports whether the vault with a name, in lower case, is one of
// those whose secrets the operator keeps elsewhere.
func (d *daemon) isStoredElsewhere(vault string) bool {
	for name := range d.config.Vaults.Stores {
		if strings.EqualFold(name, vault) {
			return true
		}
	}
	return false
}

// azureVaults returns what reads vaults of Azure; nil for nobody.
func (d *daemon) azureVaults() vault.AzureReader {
	if d.config.Vaults.Azure == "off" {
		return nil
	}
	return &vault.Azure{SignIn: vault.SignInFrom(d.environ, d.config.Vaults.Azure == "managed-identity")}
}

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
	if err := d.store.DeleteAudit(ctx, d.now().Add(-d.config.Vaults.AuditFor)); err != nil && ctx.Err() == nil {
		d.log.WarnContext(ctx, "removing old records of the audit log", "error", err)
	}
}
