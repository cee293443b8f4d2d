package cli

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

const (
	vaultVersion   = "2023-07-01"
	vaultType      = "Microsoft.KeyVault/vaults"
	vaultsProvider = "/providers/" + vaultType
)

func keyvaultCommands() []command {
	return []command{
		vaultCreate(), vaultShow(), vaultList(), vaultUpdate(), vaultDelete(), vaultCheckName(),
		vaultListDeleted(), vaultShowDeleted(), vaultRecover(), vaultPurge(),
		vaultSetPolicy(), vaultDeletePolicy(),
		{use: "secret", short: "Secrets", group: []command{
			secretSet(), secretShow(), secretDownload(), secretList(), secretVersions(), secretAttributes(), secretDelete(),
			secretListDeleted(), secretShowDeleted(), secretRecover(), secretPurge(), secretBackup(), secretRestore(),
		}},
	}
}

// vaultFlags say which vault a command is about.
type vaultFlags struct{ name, group string }

func (v *vaultFlags) define(f *flags) {
	f.StringVarP(&v.name, "name", "n", "", "name of the key vault")
	f.StringVarP(&v.group, "resource-group", "g", "", "name of the resource group; found by the vault's name if left out")
	f.need("name")
}

// find returns the path of the vault's resource.
func (v *vaultFlags) find(c *call) (*api, string, error) {
	a, err := c.api()
	if err != nil {
		return nil, "", err
	}
	if v.group != "" {
		return a, a.base + "/resourceGroups/" + escape(v.group) + vaultsProvider + "/" + escape(v.name), nil
	}
	all, err := a.list(c.ctx, request{
		path: a.base + "/resources", version: resourcesVersion,
		query: url.Values{"$filter": {"resourceType eq '" + vaultType + "' and name eq " + quote(v.name)}},
	}, 0)
	if err != nil {
		return nil, "", err
	}
	if len(all) == 0 {
		return nil, "", drydock.Errorf(drydock.NotFound, "there is no key vault %q", v.name).WithHint("%s keyvault list shows them", c.Name)
	}
	return a, text(all[0], "id"), nil
}

// do carries out a request for the vault, or for something below it.
func (v *vaultFlags) do(c *call, method, below string, body any) (object, error) {
	a, path, err := v.find(c)
	if err != nil {
		return nil, err
	}
	return a.do(c.ctx, request{method: method, path: path + below, version: vaultVersion, body: body})
}

// grouped adds the resource group that is in the id of a resource, or of all in a
// list.
func grouped(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = grouped(v[i])
		}
	case object:
		if m := groupOfID.FindStringSubmatch(text(v, "id")); m != nil {
			v["resourceGroup"] = m[1]
		}
	}
	return v
}

func vaultTable(item any) output.Row {
	return output.Row{
		{Column: "Location", Value: text(item, "location")},
		{Column: "Name", Value: text(item, "name")},
		{Column: "ResourceGroup", Value: text(item, "resourceGroup")},
	}
}

// vaultSettings are what can be set of a vault.
type vaultSettings struct {
	roles, protected args.Bool
	sku              args.Enum
	tags             args.List
}

func (s *vaultSettings) define(f *flags) {
	s.sku.Choices = []string{"standard", "premium"}
	s.roles.Var(f.FlagSet, "enable-rbac-authorization", "roles alone give access, and access policies do not")
	s.protected.Var(f.FlagSet, "enable-purge-protection", "nothing is purged before its time; can't be undone")
	f.Var(&s.sku, "sku", "SKU, which makes no difference")
	tagsFlag(f, &s.tags)
}

func (s *vaultSettings) properties() object {
	properties := object{}
	if s.roles.Given {
		properties["enableRbacAuthorization"] = s.roles.Value
	}
	if s.protected.Given {
		properties["enablePurgeProtection"] = s.protected.Value
	}
	if s.sku.Value != "" {
		properties["sku"] = object{"family": "A", "name": s.sku.Value}
	}
	return properties
}

func vaultShow() command {
	var v vaultFlags
	return command{use: "show", short: "Show a key vault", table: vaultTable, flags: v.define, run: func(c *call) (any, error) {
		found, err := v.do(c, http.MethodGet, "", nil)
		return grouped(found), err
	}}
}

func vaultList() command {
	return resourcesOf{"List key vaults", vaultType, vaultVersion, vaultTable, grouped}.command()
}

func vaultCheckName() command {
	return nameCheck{"Ask whether a key vault can have a name", "name of the key vault", vaultType, vaultVersion, "Microsoft.KeyVault"}.command()
}

// isMissing reports that an error says that something is not there.
func (c *call) isMissing(err error) bool {
	return err != nil && drydock.CodeOf(c.explain(err)) == drydock.NotFound
}

func lower(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }
