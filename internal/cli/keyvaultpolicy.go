package cli

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// policyHolder says whom an access policy is for.
type policyHolder struct{ object, principal, person, application string }

func (p *policyHolder) define(f *flags) {
	f.StringVar(&p.object, "object-id", "", "object id of a user, a group, a service principal or an identity")
	f.StringVar(&p.principal, "spn", "", "client id or name of a service principal")
	f.StringVar(&p.person, "upn", "", "name of a user")
	f.StringVar(&p.application, "application-id", "", "client id through which alone the policy holds")
}

// id returns the object id.
func (p *policyHolder) id(c *call, s *session) (string, error) {
	given := 0
	for _, value := range []string{p.object, p.principal, p.person} {
		if value != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "one of --object-id, --spn and --upn is needed"))
	case p.object != "":
		return p.object, nil
	}
	g, err := s.graph()
	if err != nil {
		return "", err
	}
	if p.person != "" {
		found, err := g.do(c.ctx, request{method: http.MethodGet, path: g.base + "/users/" + escape(p.person)})
		return text(found, "id"), err
	}
	found, err := g.find(c, servicePrincipals, p.principal)
	return text(found, "id"), err
}

// policyPermissions are the flags of permissions, by what they are about.
type policyPermissions struct{ secrets, keys, certificates, storage args.List }

func (p *policyPermissions) define(f *flags) {
	for _, flag := range []struct {
		list *args.List
		name string
		text string
	}{
		{&p.secrets, "secret-permissions", "all, backup, delete, get, list, purge, recover, restore, set; '' for none"},
		{&p.keys, "key-permissions", "on keys, of which vaults here have none"},
		{&p.certificates, "certificate-permissions", "on certificates, of which vaults here have none"},
		{&p.storage, "storage-permissions", "on storage accounts, of which vaults here have none"},
	} {
		flag.list.Empty = true
		f.Var(flag.list, flag.name, flag.text)
	}
}

func (p *policyPermissions) apply(permissions object) bool {
	given := false
	for kind, list := range map[string]*args.List{"secrets": &p.secrets, "keys": &p.keys, "certificates": &p.certificates, "storage": &p.storage} {
		if !list.Given {
			continue
		}
		given = true
		words := []any{}
		for _, word := range list.Values {
			if word != "" {
				words = append(words, strings.ToLower(word))
			}
		}
		permissions[kind] = words
	}
	return given
}

func vaultSetPolicy() command {
	var v vaultFlags
	var who policyHolder
	var p policyPermissions
	return command{
		use: "set-policy", short: "Set what somebody may do with the secrets of a key vault", table: vaultTable,
		example: "  drydock keyvault set-policy -n my-secrets --secret-permissions get \\\n    --object-id $(drydock acr task show -r contoso -n hello --query identity.principalId -o tsv)",
		flags: func(f *flags) {
			v.define(f)
			who.define(f)
			p.define(f)
		},
		run: func(c *call) (any, error) {
			return v.changePolicy(c, who, func(policy object) (string, error) {
				permissions, _ := policy["permissions"].(object)
				if permissions == nil {
					permissions = object{}
					policy["permissions"] = permissions
				}
				if !p.apply(permissions) {
					return "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "no permissions are given").WithHint("add --secret-permissions get"))
				}
				return "replace", nil
			})
		},
	}
}

func vaultDeletePolicy() command {
	var v vaultFlags
	var who policyHolder
	return command{
		use: "delete-policy", short: "Take all permissions on a key vault from somebody", table: vaultTable,
		flags: func(f *flags) {
			v.define(f)
			who.define(f)
		},
		run: func(c *call) (any, error) {
			return v.changePolicy(c, who, func(policy object) (string, error) {
				if policy["permissions"] == nil {
					return "", drydock.Errorf(drydock.NotFound, "the key vault %q has no access policy for %s", v.name, text(policy, "objectId"))
				}
				policy["permissions"] = object{}
				return "remove", nil
			})
		},
	}
}

// changePolicy changes the access policy of a holder, in the way that change
// returns.
func (v *vaultFlags) changePolicy(c *call, who policyHolder, change func(policy object) (string, error)) (any, error) {
	a, err := c.api()
	if err != nil {
		return nil, err
	}
	id, err := who.id(c, a.session)
	if err != nil {
		return nil, err
	}
	found, err := v.do(c, http.MethodGet, "", nil)
	if err != nil {
		return nil, err
	}
	if on, _ := at(found, "properties", "enableRbacAuthorization").(bool); on {
		return nil, drydock.Errorf(drydock.Conflict, "the key vault %q is one to which roles alone give access", v.name).
			WithHint("%s role assignment create --role 'Key Vault Secrets User' --assignee-object-id %s --scope %s gives a role", c.Name, id, text(found, "id"))
	}
	policies, _ := at(found, "properties", "accessPolicies").([]any)
	policy := object{"tenantId": at(found, "properties", "tenantId"), "objectId": id}
	if who.application != "" {
		policy["applicationId"] = who.application
	}
	if i := slices.IndexFunc(policies, func(p any) bool {
		return strings.EqualFold(text(p, "objectId"), id) && strings.EqualFold(text(p, "applicationId"), who.application)
	}); i >= 0 {
		policy, _ = policies[i].(object)
	}
	operation, err := change(policy)
	if err != nil {
		return nil, err
	}
	path := text(found, "id")
	_, err = a.do(c.ctx, request{
		method: http.MethodPut, path: path + "/accessPolicies/" + operation, version: vaultVersion,
		body: object{"properties": object{"accessPolicies": []any{policy}}},
	})
	if err != nil {
		return nil, err
	}
	changed, err := a.do(c.ctx, request{method: http.MethodGet, path: path, version: vaultVersion})
	return grouped(changed), err
}
