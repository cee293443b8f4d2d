package drydock

import (
	"slices"
	"strings"
)

// The names of Azure's clouds.
const (
	AzureCloud        = "AzureCloud"
	AzureChinaCloud   = "AzureChinaCloud"
	AzureUSGovernment = "AzureUSGovernment"
)

// AzureClouds returns Azure's clouds with their names as they are built into the
// Azure CLI and the SDKs.
func AzureClouds() []Cloud {
	return []Cloud{
		{
			Name:       AzureCloud,
			Management: "management.azure.com", Login: "login.microsoftonline.com", Graph: "graph.microsoft.com",
			Registries: "azurecr.io", Vaults: "vault.azure.net", Blobs: "blob.core.windows.net",
			Aliases: map[HostKind][]string{LoginHost: {"login.windows.net", "login.microsoft.com", "sts.windows.net"}},
			Resources: map[HostKind][]string{
				ManagementHost: {"management.core.windows.net"},
				RegistryKind:   {"containerregistry.azure.net"},
			},
		},
		{
			Name:       AzureChinaCloud,
			Management: "management.chinacloudapi.cn", Login: "login.chinacloudapi.cn", Graph: "microsoftgraph.chinacloudapi.cn",
			Registries: "azurecr.cn", Vaults: "vault.azure.cn", Blobs: "blob.core.chinacloudapi.cn",
			Aliases: map[HostKind][]string{LoginHost: {"login.partner.microsoftonline.cn"}},
			Resources: map[HostKind][]string{
				ManagementHost: {"management.core.chinacloudapi.cn"},
				RegistryKind:   {"containerregistry.azure.cn"},
			},
		},
		{
			Name:       AzureUSGovernment,
			Management: "management.usgovcloudapi.net", Login: "login.microsoftonline.us", Graph: "graph.microsoft.us",
			Registries: "azurecr.us", Vaults: "vault.usgovcloudapi.net", Blobs: "blob.core.usgovcloudapi.net",
			Resources: map[HostKind][]string{
				ManagementHost: {"management.core.usgovcloudapi.net"},
				RegistryKind:   {"containerregistry.azure.us"},
			},
		},
	}
}

// AzureHost returns the cloud of Azure's that a host is in, what it is there, and
// false for all other hosts. The name is empty for a kind that there is one of.
func AzureHost(host string) (c Cloud, kind HostKind, name string, ok bool) {
	for _, c := range AzureClouds() {
		if kind, name, ok := c.Find(host); ok {
			return c, kind, name, true
		}
	}
	return Cloud{}, "", "", false
}

// AzureCloudAt returns the cloud of Azure's that a location is in: "chinaeast2" is
// in China's, what isn't Azure's counts as one of the public cloud.
func AzureCloudAt(location string) Cloud {
	location = strings.ToLower(strings.ReplaceAll(location, " ", ""))
	name := AzureCloud
	for prefix, cloud := range map[string]string{"china": AzureChinaCloud, "usgov": AzureUSGovernment, "usdod": AzureUSGovernment} {
		if strings.HasPrefix(location, prefix) {
			name = cloud
		}
	}
	clouds := AzureClouds()
	return clouds[slices.IndexFunc(clouds, func(c Cloud) bool { return c.Name == name })]
}
