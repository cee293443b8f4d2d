package auth

import "github.com/drydockhq/drydock"

// Vault is the audience of key vaults.
const Vault Audience = "vault"

// The roles on key vaults, with Azure's ids.
const (
	VaultAdministratorRole  = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
	VaultContributorRole    = "f25e0fa2-a7c8-4377-a976-54943a77a395"
	VaultReaderRole         = "21090545-7ca7-4776-b22c-e363652d74d2"
	VaultSecretsOfficerRole = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
	VaultSecretsUserRole    = "4633458b-17de-408a-b874-0445c86b69e6"
)

// vaultRoles are the roles on key vaults, ordered by name.
func vaultRoles() []Role {
	const (
		vaults  = "Microsoft.KeyVault/vaults/"
		secrets = vaults + "secrets/"
	)
	manage := []string{
		"Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read",
		"Microsoft.KeyVault/locations/*/read", vaults + "*/read", "Microsoft.KeyVault/operations/read",
	}
	return []Role{
		{
			ID: VaultAdministratorRole, Name: "Key Vault Administrator", Description: "Does everything with the content of key vaults.",
			Actions: manage, DataActions: []string{vaults + "*"},
		},
		{
			ID: VaultContributorRole, Name: "Key Vault Contributor", Description: "Manages key vaults, but not what is in them.",
			Actions:    []string{"Microsoft.KeyVault/*"},
			NotActions: []string{"Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.KeyVault/hsmPools/*", "Microsoft.KeyVault/managedHsms/*"},
		},
		{
			ID: VaultReaderRole, Name: "Key Vault Reader", Description: "Sees key vaults and what secrets they have, but no values.",
			Actions: manage, DataActions: []string{vaults + "*/read", secrets + "readMetadata/action"},
		},
		{
			ID: VaultSecretsOfficerRole, Name: "Key Vault Secrets Officer", Description: "Does everything with the secrets of key vaults.",
			Actions: manage, DataActions: []string{secrets + "*"},
		},
		{
			ID: VaultSecretsUserRole, Name: "Key Vault Secrets User", Description: "Reads the secrets of key vaults.",
			DataActions: []string{secrets + "getSecret/action", secrets + "readMetadata/action"},
		},
	}
}

// AllowsData reports whether the role gives an action on the content of
// resources.
func (r Role) AllowsData(action string) bool { return matchesAny(r.DataActions, action) }

// AllowData reports whether an action on the content of a resource is allowed.
func (r Rights) AllowData(action string, scope drydock.ResourceID) bool {
	key := scope.Key()
	for _, g := range r.grants {
		if within(key, g.scope) && g.role.AllowsData(action) {
			return true
		}
	}
	return false
}
