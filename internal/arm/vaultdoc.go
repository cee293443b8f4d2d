package arm

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	vaultNamespace = "Microsoft.KeyVault"
	vaultType      = vaultNamespace + "/vaults"
	// vaultRetention is for how many days what was deleted is kept, unless a vault
	// says otherwise.
	vaultRetention = 90
)

// vaultDefaults are what Azure shows for what a client did not say.
func (s *Server) vaultDefaults() object {
	return object{
		"tags": object{},
		"properties": object{
			"sku": object{"family": "A", "name": "standard"}, "tenantId": s.c.Authority.Tenant(), "accessPolicies": []any{},
			"enabledForDeployment": false, "enabledForDiskEncryption": false, "enabledForTemplateDeployment": false,
			"enableSoftDelete": true, "softDeleteRetentionInDays": json.Number("90"), "enableRbacAuthorization": false,
			"publicNetworkAccess": "Enabled",
		},
	}
}

// vaultDoc shows a vault, whose URI is of the cloud that the client asked.
func (s *Server) vaultDoc(req *request, st *stored) object {
	doc := st.envelope()
	fill(doc, s.vaultDefaults())
	properties := child(doc, "properties")
	suffix := drydock.CloudOf(req.Context(), drydock.Cloud{Name: "own", Vaults: s.c.VaultDomain}).Vaults
	properties["vaultUri"] = "https://" + strings.ToLower(st.ID.Name()) + "." + suffix + "/"
	properties["provisioningState"] = st.state()
	return doc
}

// VaultOf returns the vault that a resource is.
func VaultOf(r drydock.Resource) (drydock.Vault, error) {
	st, err := open(r)
	if err != nil {
		return drydock.Vault{}, err
	}
	v := drydock.Vault{
		ID: st.ID, UID: text(st.ours, "vault"), Location: st.Location, Deleting: st.deleting(),
		RolesOnly: flag(st.doc, "properties.enableRbacAuthorization", false),
		Protected: flag(st.doc, "properties.enablePurgeProtection", false),
		Retention: time.Duration(number(st.doc, "properties.softDeleteRetentionInDays", vaultRetention)) * 24 * time.Hour,
	}
	for _, e := range list(st.doc, "properties.accessPolicies") {
		policy, _ := e.(object)
		v.Policies = append(v.Policies, drydock.VaultPolicy{
			Tenant: text(policy, "tenantId"), Principal: text(policy, "objectId"), Application: text(policy, "applicationId"),
			Secrets: namesIn(list(policy, "permissions.secrets")),
		})
	}
	return v, nil
}

func namesIn(list []any) []string {
	var all []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// samePolicy reports whether two access policies are for the same caller.
func samePolicy(a, b object) bool {
	return !slices.ContainsFunc([]string{"tenantId", "objectId", "applicationId"}, func(key string) bool {
		return !strings.EqualFold(text(a, key), text(b, key))
	})
}

// permissionKinds are what permissions are about. Those that are not for secrets
// are kept and give nothing.
var permissionKinds = []string{"keys", "secrets", "certificates", "storage"}

// changePolicies returns a vault's policies with others added, replaced or taken
// away, as the operation accessPolicies/{operation} has it.
func changePolicies(old []any, operation string, given []any) []any {
	result, _ := clone(old).([]any)
	for _, e := range given {
		policy, _ := clone(e).(object)
		i := slices.IndexFunc(result, func(e any) bool {
			there, _ := e.(object)
			return samePolicy(there, policy)
		})
		switch {
		case i < 0 && operation != "remove":
			result = append(result, policy)
		case i < 0:
		case operation == "replace":
			result[i] = policy
		default:
			there, _ := result[i].(object)
			if mergePermissions(there, policy, operation == "remove"); operation == "remove" && noPermissions(there, policy) {
				result = slices.Delete(result, i, i+1)
			}
		}
	}
	return result
}

// mergePermissions adds the permissions of a policy to another, or takes them
// from it.
func mergePermissions(to, from object, remove bool) {
	for _, kind := range permissionKinds {
		given := list(from, "permissions."+kind)
		if len(given) == 0 {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(list(to, "permissions."+kind)), func(e any) bool {
			return slices.ContainsFunc(given, func(g any) bool { return strings.EqualFold(asText(e), asText(g)) })
		})
		if !remove {
			kept = append(kept, given...)
		}
		child(to, "permissions")[kind] = kept
	}
}

// noPermissions reports whether nothing is left of a policy from which others
// were taken; naming none takes all.
func noPermissions(left, taken object) bool {
	count := func(policy object) int {
		n := 0
		for _, kind := range permissionKinds {
			n += len(list(policy, "permissions."+kind))
		}
		return n
	}
	return count(left) == 0 || count(taken) == 0
}
