package drydock_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

func TestAzureHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"management.chinacloudapi.cn":                "AzureChinaCloud management ",
		"MANAGEMENT.azure.com.":                      "AzureCloud management ",
		"management.azure.com:443":                   "AzureCloud management ",
		"login.microsoftonline.com":                  "AzureCloud login ",
		"login.windows.net":                          "AzureCloud login ",
		"microsoftgraph.chinacloudapi.cn":            "AzureChinaCloud graph ",
		"Contoso.azurecr.cn":                         "AzureChinaCloud azurecr contoso",
		"acr-task-credentials.vault.azure.cn":        "AzureChinaCloud vault acr-task-credentials",
		"drydock.blob.core.chinacloudapi.cn":         "AzureChinaCloud blob drydock",
		"x.azurecr.us":                               "AzureUSGovernment azurecr x",
		"azurecr.io":                                 "",
		".azurecr.io":                                "",
		"a.b.azurecr.io":                             "",
		"contoso.azurecr.io.example.com":             "",
		"contosoazurecr.io":                          "",
		"evil-management.azure.com":                  "",
		"management.azure.com.evil.com":              "",
		"localhost":                                  "",
		"169.254.169.254":                            "",
		"[::1]:443":                                  "",
		"":                                           "",
		"containerregistry.azure.net":                "",
		"contoso.azurecr.io:443:443":                 "",
		"contoso.azurecr.io\x00.evil":                "",
		"sts.windows.net":                            "AzureCloud login ",
		"contoso.azurecr.drydock.test":               "",
		"x.blob.core.windows.net/..":                 "",
		strings.Repeat("a", 64) + ".vault.azure.net": "",
		"user@x.azurecr.io":                          "", "http://x.azurecr.io": "", "x .azurecr.io": "",
		"management.core.windows.net":             "",
		"login.partner.microsoftonline.cn:8443":   "AzureChinaCloud login ",
		"v.vault.usgovcloudapi.net":               "AzureUSGovernment vault v",
		"contoso.eastus.data.azurecr.io":          "",
		"management.usgovcloudapi.net":            "AzureUSGovernment management ",
		"login.microsoftonline.us":                "AzureUSGovernment login ",
		"graph.microsoft.com":                     "AzureCloud graph ",
		"graph.microsoft.us":                      "AzureUSGovernment graph ",
		"login.chinacloudapi.cn":                  "AzureChinaCloud login ",
		"management.core.chinacloudapi.cn":        "",
		"drydock.blob.core.windows.net":           "AzureCloud blob drydock",
		"drydock.blob.core.usgovcloudapi.net":     "AzureUSGovernment blob drydock",
		"management.azure.com ":                   "",
		" management.azure.com":                   "",
		"management.azure.com@evil.com":           "",
		"management.azure.com#@evil.com":          "",
		"management.azure.com%00":                 "",
		"http://management.azure.com":             "",
		"management.azure.com/../x":               "",
		"management.azure.com\r\nHost: 127.0.0.1": "",
		"management.azure.com\t":                  "",
		"xn--management.azure.com":                "",
		"management。azure.com":                    "",
	} {
		got := ""
		if c, kind, name, ok := drydock.AzureHost(host); ok {
			got = c.Name + " " + string(kind) + " " + name
		}
		if got != want {
			t.Errorf("%q is %q, want %q", host, got, want)
		}
	}
}

// own is a cloud of a server at a port.
func own() drydock.Cloud {
	return drydock.Cloud{
		Name: "drydock", Management: "management.drydock.test:8443", Login: "login.drydock.test:8443", Graph: "graph.drydock.test:8443",
		Registries: "azurecr.drydock.test:8443", Vaults: "vault.drydock.test:8443", Blobs: "blob.drydock.test:8443",
	}
}

func TestEveryHostOfACloudIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range append(drydock.AzureClouds(), own()) {
		for _, kind := range []drydock.HostKind{drydock.ManagementHost, drydock.LoginHost, drydock.GraphHost, drydock.RegistryKind, drydock.VaultKind, drydock.BlobKind} {
			host, name := c.Host(kind, "Some"), ""
			if c.Suffix(kind) != "" {
				name = "some"
			}
			if k, n, ok := c.Find(host); !ok || k != kind || n != name {
				t.Errorf("%s of %s is %q %q %v", host, c.Name, k, n, ok)
			}
			if c.URL(kind, "Some") != "https://"+host {
				t.Error(c.URL(kind, "Some"))
			}
			if len(c.Audiences(kind)) == 0 {
				t.Errorf("nobody can ask for a token for the %s of %s", kind, c.Name)
			}
		}
		for _, host := range c.Hosts() {
			if _, _, ok := c.Find(strings.Replace(host, "*", "any", 1)); !ok || strings.Contains(host, ":") {
				t.Errorf("%s has a host %s", c.Name, host)
			}
		}
	}
	if got := drydock.AzureClouds()[1].Audiences(drydock.ManagementHost); !slices.Contains(got, "https://management.core.chinacloudapi.cn") {
		t.Error(got)
	}
}

func TestAzureCloudAt(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"chinaeast2": drydock.AzureChinaCloud, "China North 3": drydock.AzureChinaCloud, "eastus": drydock.AzureCloud,
		"usgovvirginia": drydock.AzureUSGovernment, "US DoD East": drydock.AzureUSGovernment, "local": drydock.AzureCloud, "": drydock.AzureCloud,
	} {
		if got := drydock.AzureCloudAt(location).Name; got != want {
			t.Errorf("%q is in %s, want %s", location, got, want)
		}
	}
}

func TestCloudOf(t *testing.T) {
	t.Parallel()
	if got := drydock.CloudOf(context.Background(), own()); got.Name != "drydock" {
		t.Error(got)
	}
	china := drydock.AzureCloudAt("chinaeast2")
	if got := drydock.CloudOf(drydock.WithCloud(t.Context(), china), own()); got.Name != china.Name {
		t.Error(got)
	}
}

func FuzzAzureHost(f *testing.F) {
	for _, s := range []string{"contoso.azurecr.cn:443", "[::1]:80", "...", "management.azure.com."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		c, kind, name, ok := drydock.AzureHost(host)
		if !ok {
			return
		}
		if k, n, again := c.Find(c.Host(kind, name)); !again || k != kind || n != name {
			t.Errorf("%q is %q %q, which is %q %q", host, kind, name, k, n)
		}
	})
}
