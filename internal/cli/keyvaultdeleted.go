package cli

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// vaultDelete asks nothing: the vault can be recovered.
func vaultDelete() command {
	var v vaultFlags
	var noWait bool
	return command{
		use: "delete", short: "Delete a key vault; it can be recovered for a while",
		flags: func(f *flags) {
			v.define(f)
			noWaitFlag(f, &noWait)
		},
		run: func(c *call) (any, error) {
			a, path, err := v.find(c)
			if err != nil {
				return nil, err
			}
			if _, err := a.do(c.ctx, request{method: http.MethodGet, path: path, version: vaultVersion}); err != nil {
				return nil, err
			}
			_, err = a.operate(c.ctx, request{method: http.MethodDelete, path: path, version: vaultVersion}, !noWait)
			return nil, err
		},
	}
}

// deletedVaultFlags say which deleted vault a command is about.
type deletedVaultFlags struct{ name, location string }

func (v *deletedVaultFlags) define(f *flags) {
	f.StringVarP(&v.name, "name", "n", "", "name of the deleted key vault")
	f.StringVarP(&v.location, "location", "l", "", "its location; found by its name if left out")
	f.need("name")
}

// find returns the deleted vault.
func (v *deletedVaultFlags) find(c *call, a *api) (object, error) {
	all, err := a.list(c.ctx, request{path: a.base + "/providers/Microsoft.KeyVault/deletedVaults", version: vaultVersion}, 0)
	if err != nil {
		return nil, err
	}
	for _, item := range all {
		o, _ := item.(object)
		if strings.EqualFold(text(o, "name"), v.name) && (v.location == "" || lower(text(o, "properties", "location")) == lower(v.location)) {
			return o, nil
		}
	}
	return nil, drydock.Errorf(drydock.NotFound, "there is no deleted key vault %q", v.name).WithHint("%s keyvault list-deleted shows them", c.Name)
}

func deletedVaultTable(item any) output.Row {
	return output.Row{
		{Column: "Name", Value: text(item, "name")},
		{Column: "Location", Value: text(item, "properties", "location")},
		{Column: "DeletionDate", Value: when(text(item, "properties", "deletionDate"))},
		{Column: "ScheduledPurgeDate", Value: when(text(item, "properties", "scheduledPurgeDate"))},
	}
}

func vaultListDeleted() command {
	return command{use: "list-deleted", short: "List key vaults that were deleted", table: deletedVaultTable, run: func(c *call) (any, error) {
		a, err := c.api()
		if err != nil {
			return nil, err
		}
		return a.list(c.ctx, request{path: a.base + "/providers/Microsoft.KeyVault/deletedVaults", version: vaultVersion}, 0)
	}}
}

func vaultShowDeleted() command {
	var v deletedVaultFlags
	return command{use: "show-deleted", short: "Show a key vault that was deleted", table: deletedVaultTable, flags: v.define, run: func(c *call) (any, error) {
		a, err := c.api()
		if err != nil {
			return nil, err
		}
		return v.find(c, a)
	}}
}

func vaultRecover() command {
	var v deletedVaultFlags
	var group string
	return command{
		use: "recover", short: "Give back a key vault that was deleted, with its secrets", table: vaultTable,
		flags: func(f *flags) {
			v.define(f)
			f.StringVarP(&group, "resource-group", "g", "", "the resource group that it was in; found by its name if left out")
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			deleted, err := v.find(c, a)
			if err != nil {
				return nil, err
			}
			path := text(deleted, "properties", "vaultId")
			if group != "" {
				path = a.base + "/resourceGroups/" + escape(group) + vaultsProvider + "/" + escape(v.name)
			}
			found, err := a.do(c.ctx, request{
				method: http.MethodPut, path: path, version: vaultVersion,
				body: object{"location": text(deleted, "properties", "location"), "properties": object{
					"createMode": "recover", "tenantId": a.session.account.Tenant, "sku": object{"family": "A", "name": "standard"},
				}},
			})
			return grouped(found), err
		},
	}
}

func vaultPurge() command {
	var v deletedVaultFlags
	var noWait bool
	return command{
		use: "purge", short: "End a deleted key vault for good, with its secrets",
		flags: func(f *flags) {
			v.define(f)
			noWaitFlag(f, &noWait)
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			deleted, err := v.find(c, a)
			if err != nil {
				return nil, err
			}
			path, err := url.PathUnescape(text(deleted, "id"))
			if err != nil {
				return nil, err
			}
			_, err = a.operate(c.ctx, request{method: http.MethodPost, path: path + "/purge", version: vaultVersion}, !noWait)
			return nil, err
		},
	}
}
