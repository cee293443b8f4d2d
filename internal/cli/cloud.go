package cli

import (
	"maps"
	"slices"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/output"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

func cloudDoc(c profile.Cloud, active string) object {
	return object{
		"name": c.Name, "isActive": c.Name == active, "profile": "latest",
		"endpoints": object{
			"resourceManager": c.ResourceManager, "activeDirectory": c.ActiveDirectory, "activeDirectoryResourceId": c.Audience,
			"microsoftGraphResourceId": c.MicrosoftGraph,
		},
		"suffixes": object{
			"acrLoginServerEndpoint": c.RegistrySuffix, "keyvaultDns": c.VaultSuffix, "storageEndpoint": c.StorageSuffix,
		},
	}
}

func cloudTable(item any) output.Row {
	active := "False"
	if at(item, "isActive") == true {
		active = "True"
	}
	return output.Row{{Column: "IsActive", Value: active}, {Column: "Name", Value: text(item, "name")}, {Column: "Profile", Value: text(item, "profile")}}
}

func cloudList() command {
	return command{use: "list", short: "List clouds", table: cloudTable, run: func(c *call) (any, error) {
		p, err := c.store.Load()
		if err != nil {
			return nil, err
		}
		list := []any{}
		for _, cloud := range profile.BuiltIn() {
			list = append(list, cloudDoc(cloud, c.activeCloud(p)))
		}
		for _, name := range slices.Sorted(maps.Keys(p.Clouds)) {
			list = append(list, cloudDoc(p.Clouds[name], c.activeCloud(p)))
		}
		return list, nil
	}}
}

func cloudShow() command {
	var name string
	return command{
		use: "show", short: "Show a cloud", table: cloudTable,
		flags: func(f *flags) { f.StringVarP(&name, "name", "n", "", "name of the cloud (default: the one in use)") },
		run: func(c *call) (any, error) {
			p, err := c.store.Load()
			if err != nil {
				return nil, err
			}
			if name == "" {
				name = c.activeCloud(p)
			}
			cloud, ok := p.Cloud(name)
			if !ok {
				return nil, unknownCloud(c, name)
			}
			return cloudDoc(cloud, c.activeCloud(p)), nil
		},
	}
}

func unknownCloud(c *call, name string) error {
	return drydock.Errorf(drydock.NotFound, "there is no cloud %q", name).
		WithHint("%s cloud register adds one, %[1]s cloud list shows all", c.Name)
}
