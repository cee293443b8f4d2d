package cli

import (
	"encoding/json"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

type cloudFlags struct {
	cloud         profile.Cloud
	config        string
	authorityFile string
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
			f.StringVar(&r.cloud.MicrosoftGraph, "endpoint-microsoft-graph-resource-id", "", "URL of the directory, which is what tokens for it are for too")
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
		&cloud.MicrosoftGraph: r.cloud.MicrosoftGraph,
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
		&r.cloud.Audience: {"endpoints", "activeDirectoryResourceId"}, &r.cloud.MicrosoftGraph: {"endpoints", "microsoftGraphResourceId"},
		&r.cloud.RegistrySuffix: {"suffixes", "acrLoginServerEndpoint"},
		&r.cloud.VaultSuffix:    {"suffixes", "keyvaultDns"}, &r.cloud.StorageSuffix: {"suffixes", "storageEndpoint"},
	} {
		if *to == "" {
			*to = text(config, path...)
		}
	}
	return nil
}
