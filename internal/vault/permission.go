package vault

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Permission is a right on secrets: its name in access policies, and the data
// action that roles give.
type Permission struct{ Name, Action string }

const secretActions = "Microsoft.KeyVault/vaults/secrets/"

// The permissions.
var (
	permGet         = Permission{"get", secretActions + "getSecret/action"}
	permList        = Permission{"list", secretActions + "readMetadata/action"}
	permGetDeleted  = Permission{"get", secretActions + "readMetadata/action"}
	permListDeleted = Permission{"list", secretActions + "readMetadata/action"}
	permSet         = Permission{"set", secretActions + "setSecret/action"}
	permUpdate      = Permission{"set", secretActions + "update/action"}
	permDelete      = Permission{"delete", secretActions + "delete"}
	permRecover     = Permission{"recover", secretActions + "recover/action"}
	permBackup      = Permission{"backup", secretActions + "backup/action"}
	permRestore     = Permission{"restore", secretActions + "restore/action"}
	permPurge       = Permission{"purge", secretActions + "purge/action"}
)

// Roles reads role assignments; a drydock.RoleStore is one.
type Roles = auth.Assignments

// scope is what a permission is needed on: a secret, or the vault without one.
func scope(v drydock.Vault, secret string) drydock.ResourceID {
	if secret == "" {
		return v.ID
	}
	return v.ID.Child("secrets", secret)
}

// authorize returns nil if a principal has a permission, by a policy of the vault
// or by a role on it, and an *Error that names what is missing if not.
func (s *Service) authorize(ctx context.Context, v drydock.Vault, p drydock.Principal, want Permission, secret string) error {
	if !v.RolesOnly && s.hasPolicy(v, p, want) {
		return nil
	}
	rights, err := auth.RightsOf(ctx, s.c.Roles, p)
	if err != nil {
		return err
	}
	if rights.AllowData(want.Action, scope(v, secret)) {
		return nil
	}
	if v.RolesOnly {
		return forbidden("ForbiddenByRbac", "The caller '%s' may not perform the action '%s' on '%s': no role assignment gives it. Role assignments that were made a moment ago hold at once.",
			caller(p), want.Action, scope(v, secret))
	}
	return forbidden("AccessDenied", "The caller '%s' does not have secrets %s permission on key vault '%s;location=%s', by its access policies or by a role.",
		caller(p), want.Name, v.ID.Name(), v.Location)
}

func caller(p drydock.Principal) string { return fmt.Sprintf("appid=%s;oid=%s", p.AppID, p.ID) }

// hasPolicy reports whether an access policy of a vault gives a permission.
func (s *Service) hasPolicy(v drydock.Vault, p drydock.Principal, want Permission) bool {
	return slices.ContainsFunc(v.Policies, func(rule drydock.VaultPolicy) bool {
		return holds(p, rule.Principal) &&
			(rule.Tenant == "" || strings.EqualFold(rule.Tenant, s.c.Tenant)) &&
			(rule.Application == "" || strings.EqualFold(rule.Application, p.AppID)) &&
			slices.ContainsFunc(rule.Secrets, func(given string) bool {
				return strings.EqualFold(given, want.Name) || strings.EqualFold(given, "all")
			})
	})
}

// advice is the command that gives an identity what it lacks.
func advice(v drydock.Vault, p drydock.Principal, want Permission) string {
	if v.RolesOnly {
		return fmt.Sprintf("az role assignment create --role 'Key Vault Secrets User' --assignee-object-id %s --scope %s", p.ID, v.ID)
	}
	return fmt.Sprintf("az keyvault set-policy --name %s --object-id %s --secret-permissions %s", v.ID.Name(), p.ID, want.Name)
}

// holds reports whether an object id is that of a principal or of one of its
// groups.
func holds(p drydock.Principal, id string) bool {
	return p.ID != "" && strings.EqualFold(id, p.ID) ||
		slices.ContainsFunc(p.Groups, func(group string) bool { return strings.EqualFold(id, group) })
}
