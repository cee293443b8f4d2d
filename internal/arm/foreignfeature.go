package arm

import "strings"

// foreignFeature is what Azure does with a resource when a property of it has a
// value, and this server doesn't. To take the value would be a promise: of a wall
// that is none, or of images that could be had back.
type foreignFeature struct{ path, value, what string }

var foreignToRegistries = []foreignFeature{
	{"properties.publicNetworkAccess", "Disabled", "Private endpoints are not part of this server. A firewall in front of it keeps others out."},
	{"properties.networkRuleSet.defaultAction", "Deny", "Network rules are not part of this server. A firewall in front of it keeps others out."},
	{"properties.policies.quarantinePolicy.status", "enabled", "Quarantine is not part of this server."},
	{"properties.policies.trustPolicy.status", "enabled", "Content trust (Notary v1) is not part of this server. Signatures can be kept as artifacts that refer to an image."},
	{"properties.policies.retentionPolicy.status", "enabled", "Retention policies are not part of this server. A task with a timer and 'acr purge --untagged' does that."},
	{"properties.policies.softDeletePolicy.status", "enabled", "Soft delete of images is not part of this server: what is deleted is gone."},
	{"properties.policies.exportPolicy.status", "disabled", "Export policies are not part of this server: who can pull an image can take it elsewhere."},
	{"properties.policies.azureADAuthenticationAsArmPolicy.status", "disabled", "The registries of this server always take tokens for the resource manager."},
	{"properties.encryption.status", "enabled", "Customer-managed keys are not part of this server. The storage of its blobs can encrypt them."},
}

var foreignToVaults = []foreignFeature{
	{"properties.publicNetworkAccess", "Disabled", "Private endpoints are not part of this server. A firewall in front of it keeps others out."},
	{"properties.networkAcls.defaultAction", "Deny", "Network rules are not part of this server. A firewall in front of it keeps others out."},
}

// refuseForeign says what a resource was asked for that it would not do.
func refuseForeign(doc object, features []foreignFeature) error {
	for _, f := range features {
		if strings.EqualFold(text(doc, f.path), f.value) {
			return badRequest("UnsupportedFeature", "%s", f.what).about(f.path)
		}
	}
	return nil
}
