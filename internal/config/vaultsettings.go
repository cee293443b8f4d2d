package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Vaults is how key vaults are kept.
type Vaults struct {
	// Key names what the keys of the vaults are encrypted with: a file, below the
	// data folder unless its path is absolute, or the URL of a key management
	// service.
	Key string
	// Stores are where the secrets of vaults are that are kept elsewhere, by the
	// name of the vault in lower case.
	Stores map[string]string
	// Azure says how vaults of Azure are read: "off", "environment", or
	// "managed-identity".
	Azure string
	// AuditFor is how long the audit log is kept.
	AuditFor time.Duration
}

// vaultSettings say where secrets are kept, and what of their reading.
func vaultSettings() []*Setting {
	return []*Setting{
		{
			Name: "vaults.key", Option: "vault-key", Value: "FILE|URL",
			Usage:   "what the keys of the vaults are encrypted with: a file, or azurekeyvault://…, hashivault://…, awskms://…",
			Default: []string{"keys/vault.key"}, set: one(func(c *Config, v string) error { c.Vaults.Key = v; return nil }),
		},
		{
			Name: "vaults.stores", Option: "vault-store", Value: "VAULT=URL", List: true,
			Usage: "read the secrets of VAULT elsewhere: hashivault+https://HOST/MOUNT, file:///FOLDER or env:PREFIX",
			set:   each(addVaultStore), show: redactVaultStore,
		},
		{
			Name: "vaults.azure", Option: "vault-azure", Value: "HOW",
			Usage:   "how vaults are read that are Azure's: environment, managed-identity, or off",
			Default: []string{"environment"}, set: one(setVaultAzure),
		},
		{
			Name: "retention.audit", Value: "TIME", Usage: "how long the audit log is kept",
			Default: []string{"365d"}, set: one(duration(func(c *Config, d time.Duration) { c.Vaults.AuditFor = d }, false)),
		},
	}
}

var vaultNameForm = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9]|-[A-Za-z0-9]){2,23}$`)

func addVaultStore(c *Config, v string) error {
	name, store, ok := strings.Cut(v, "=")
	if !ok || !vaultNameForm.MatchString(name) || store == "" {
		return fmt.Errorf("it is not the name of a vault, '=' and where its secrets are")
	}
	if c.Vaults.Stores == nil {
		c.Vaults.Stores = map[string]string{}
	}
	name = strings.ToLower(name)
	if _, twice := c.Vaults.Stores[name]; twice {
		return fmt.Errorf("the vault %s has two stores", name)
	}
	c.Vaults.Stores[name] = store
	return nil
}

// redactVaultStore hides what has no business in a URL and may be there.
func redactVaultStore(v string) string {
	name, store, _ := strings.Cut(v, "=")
	if u, err := url.Parse(store); err == nil {
		u.User, u.RawQuery = nil, ""
		return name + "=" + u.String()
	}
	return name + "=…"
}

func setVaultAzure(c *Config, v string) error {
	switch v {
	case "off", "environment", "managed-identity":
		c.Vaults.Azure = v
		return nil
	}
	return fmt.Errorf("it is not one of environment, managed-identity and off")
}
