package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/output"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

func cloudDoc(c profile.Cloud, active string) object {
	return object{
		"name": c.Name, "isActive": c.Name == active, "profile": "latest",
		"endpoints": object{
			"resourceManager": c.ResourceManager, "activeDirectory": c.ActiveDirectory, "activeDirectoryResourceId": c.Audience,
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

func cloudSet() command {
	var name string
	return command{
		use: "set", short: "Choose the cloud to work with",
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name of the cloud")
			f.need("name")
		},
		run: func(c *call) (any, error) {
			p, err := c.store.Load()
			if err != nil {
				return nil, err
			}
			if _, ok := p.Cloud(name); !ok {
				return nil, unknownCloud(c, name)
			}
			p.Active = name
			if _, ok := p.Accounts[name]; !ok {
				c.say("Switched to %q. Sign in with %s login.", name, c.Name)
			}
			return nil, c.store.Save(p)
		},
	}
}

func cloudUnregister() command {
	var name string
	return command{
		use: "unregister", short: "Forget a cloud",
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name of the cloud")
			f.need("name")
		},
		run: func(c *call) (any, error) {
			p, err := c.store.Load()
			if err != nil {
				return nil, err
			}
			if _, ok := p.Clouds[name]; !ok {
				return nil, unknownCloud(c, name)
			}
			delete(p.Clouds, name)
			delete(p.Accounts, name)
			if p.Active == name {
				p.Active = ""
			}
			return nil, c.store.Save(p)
		},
	}
}

type cloudFlags struct {
	cloud          profile.Cloud
	config         string
	authorityFile  string
	registrySuffix string
}

func cloudRegister() command {
	var r cloudFlags
	return command{
		use: "register", short: "Add a cloud",
		example: "  drydock cloud register -n home --endpoint-resource-manager https://management.drydock.test",
		flags: func(f *flags) {
			f.StringVarP(&r.cloud.Name, "name", "n", "", "name of the cloud")
			f.StringVar(&r.cloud.ResourceManager, "endpoint-resource-manager", "", "URL of the resource manager")
			f.StringVar(&r.cloud.ActiveDirectory, "endpoint-active-directory", "", "URL of the authority (default: as the resource manager says)")
			f.StringVar(&r.cloud.Audience, "endpoint-active-directory-resource-id", "", "what tokens for the resource manager are for")
			f.StringVar(&r.cloud.RegistrySuffix, "suffix-acr-login-server-endpoint", "", "what the hosts of registries end with")
			f.StringVar(&r.cloud.VaultSuffix, "suffix-keyvault-dns", "", "what the hosts of vaults end with")
			f.StringVar(&r.cloud.StorageSuffix, "suffix-storage-endpoint", "", "what the hosts of blobs end with")
			f.StringVar(&r.config, "cloud-config", "", "all of these as JSON; @file reads it")
			f.StringVar(&r.authorityFile, "ca-file", "", "certificates of the server's authority, in PEM form")
			f.need("name")
		},
		run: r.run,
	}
}

func (r *cloudFlags) run(c *call) (any, error) {
	if r.config != "" {
		if err := r.fromConfig(); err != nil {
			return nil, err
		}
	}
	if r.cloud.ResourceManager == "" {
		return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--endpoint-resource-manager is required, or --cloud-config with it"))
	}
	authorities, err := readAuthorities(r.authorityFile)
	if err != nil {
		return nil, err
	}
	cloud, err := c.discover(c.ctx, r.cloud.Name, r.cloud.ResourceManager, authorities)
	if err != nil {
		return nil, err
	}
	for to, given := range map[*string]string{
		&cloud.ActiveDirectory: strings.TrimRight(r.cloud.ActiveDirectory, "/"), &cloud.Audience: r.cloud.Audience,
		&cloud.RegistrySuffix: r.cloud.RegistrySuffix, &cloud.VaultSuffix: r.cloud.VaultSuffix, &cloud.StorageSuffix: r.cloud.StorageSuffix,
	} {
		if given != "" {
			*to = given
		}
	}
	p, err := c.store.Load()
	if err != nil {
		return nil, err
	}
	p.Register(cloud)
	return nil, c.store.Save(p)
}

// fromConfig reads what the Azure CLI takes as the configuration of a cloud.
// Flags are stronger.
func (r *cloudFlags) fromConfig() error {
	var config object
	if err := json.Unmarshal([]byte(r.config), &config); err != nil {
		return drydock.Errorf(drydock.Invalid, "argument --cloud-config: %w", err).WithHint("it is JSON, or @file for a file of it")
	}
	for to, path := range map[*string][]any{
		&r.cloud.ResourceManager: {"endpoints", "resourceManager"}, &r.cloud.ActiveDirectory: {"endpoints", "activeDirectory"},
		&r.cloud.Audience: {"endpoints", "activeDirectoryResourceId"}, &r.cloud.RegistrySuffix: {"suffixes", "acrLoginServerEndpoint"},
		&r.cloud.VaultSuffix: {"suffixes", "keyvaultDns"}, &r.cloud.StorageSuffix: {"suffixes", "storageEndpoint"},
	} {
		if *to == "" {
			*to = text(config, path...)
		}
	}
	return nil
}
