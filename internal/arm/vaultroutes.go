package arm

import "net/http"

const (
	vaultsPath  = groupPath + "/providers/" + vaultNamespace + "/vaults"
	vaultPath   = vaultsPath + "/{vaultName}"
	vaultAction = vaultType
)

func (s *Server) vaultRoutes() []route {
	provider := subPath + "/providers/" + vaultNamespace
	deleted := provider + "/locations/{location}/deletedVaults/{vaultName}"
	return []route{
		{method: http.MethodPost, path: provider + "/checkNameAvailability", action: vaultNamespace + "/checkNameAvailability/read", what: "Ask whether a key vault can have a name.", handle: s.checkVaultName},
		{method: http.MethodGet, path: provider + "/vaults", action: vaultAction + "/read", somewhere: true, what: "List key vaults.", handle: s.listVaults},
		{method: http.MethodGet, path: vaultsPath, action: vaultAction + "/read", somewhere: true, what: "List the key vaults of a group.", handle: s.listVaults},
		{method: http.MethodGet, path: vaultPath, action: vaultAction + "/read", what: "Show a key vault.", handle: s.showVault},
		{method: http.MethodPut, path: vaultPath, action: vaultAction + "/write", what: "Create or replace a key vault, or recover one that was deleted.", handle: s.putVault},
		{method: http.MethodPatch, path: vaultPath, action: vaultAction + "/write", what: "Change a key vault.", handle: s.patchVault},
		{method: http.MethodDelete, path: vaultPath, action: vaultAction + "/delete", what: "Delete a key vault; it can be recovered for a while.", handle: s.deleteResource},
		{method: http.MethodPut, path: vaultPath + "/accessPolicies/{operation}", action: vaultAction + "/write", what: "Add, replace or remove access policies of a key vault.", handle: s.putPolicies},
		{method: http.MethodGet, path: provider + "/deletedVaults", action: deletedVaultRead, somewhere: true, what: "List deleted key vaults.", handle: s.listDeletedVaults},
		{method: http.MethodGet, path: provider + "/deletedManagedHSMs", action: deletedVaultRead, somewhere: true, what: "List deleted hardware modules, of which there are none: az asks for them beside the vaults.", handle: func(*request) (*answer, error) { return listAnswer(nil, "") }},
		{method: http.MethodGet, path: deleted, action: vaultNamespace + "/locations/deletedVaults/read", what: "Show a deleted key vault.", handle: s.showDeletedVault},
		{method: http.MethodPost, path: deleted + "/purge", action: purgeVaultAction, what: "End a deleted key vault for good, with its secrets.", handle: s.purgeVaults},
	}
}
