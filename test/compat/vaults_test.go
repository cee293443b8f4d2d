package compat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/monitor/armmonitor"
	"github.com/google/uuid"

	"github.com/drydockhq/drydock/test/serve"
)

// vaultScope is the id of a vault of the tests, without a slash at its beginning.
func (a *sdk) vaultScope(name string) string {
	return "subscriptions/" + a.Subscription + "/resourceGroups/" + serve.Group + "/providers/Microsoft.KeyVault/vaults/" + name
}

func (a *sdk) vaultClient(t *testing.T) *armkeyvault.VaultsClient {
	t.Helper()
	return must(armkeyvault.NewVaultsClient(a.Subscription, a.Server.Admin(), a.site.options(t)))(t)
}

// createVault makes a vault as az 2.74 does: with roles asked for.
func (a *sdk) createVault(t *testing.T, name string) *armkeyvault.Vault {
	t.Helper()
	made := poll(a.vaultClient(t).BeginCreateOrUpdate(t.Context(), serve.Group, name, armkeyvault.VaultCreateOrUpdateParameters{
		Location: to.Ptr("here"), Tags: map[string]*string{"a": to.Ptr("b")},
		Properties: &armkeyvault.VaultProperties{
			TenantID: &a.Server.Tenant, SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNameStandard)},
			AccessPolicies: []*armkeyvault.AccessPolicyEntry{}, EnableRbacAuthorization: to.Ptr(true),
		},
	}, nil))(t)
	return &made.Vault
}

func policyOf(tenant, object string, permissions ...armkeyvault.SecretPermissions) armkeyvault.VaultAccessPolicyParameters {
	entry := &armkeyvault.AccessPolicyEntry{TenantID: &tenant, ObjectID: &object, Permissions: &armkeyvault.Permissions{}}
	for _, p := range permissions {
		entry.Permissions.Secrets = append(entry.Permissions.Secrets, &p)
	}
	return armkeyvault.VaultAccessPolicyParameters{Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{entry}}}
}

func vaults(t *testing.T, a *sdk) {
	const name = "Box-of-vaults"
	client, ctx := a.vaultClient(t), t.Context()
	available := func() bool {
		return *must(client.CheckNameAvailability(ctx, armkeyvault.VaultCheckNameAvailabilityParameters{Name: to.Ptr(name), Type: to.Ptr("Microsoft.KeyVault/vaults")}, nil))(t).NameAvailable
	}
	if !available() {
		t.Error("the name of a vault is taken that there is not")
	}
	made := a.createVault(t, name)
	if *made.Properties.VaultURI != "https://"+a.Server.Host(strings.ToLower(name)+".vault")+"/" || *made.Properties.EnableRbacAuthorization || len(made.Properties.AccessPolicies) != 1 {
		t.Errorf("made %+v", made.Properties)
	}
	if available() {
		t.Error("the name of a vault is free that there is")
	}
	object := uuid.NewString()
	for _, step := range []struct {
		kind  armkeyvault.AccessPolicyUpdateKind
		given []armkeyvault.SecretPermissions
		want  string
	}{
		{armkeyvault.AccessPolicyUpdateKindAdd, []armkeyvault.SecretPermissions{"get"}, "get"},
		{armkeyvault.AccessPolicyUpdateKindAdd, []armkeyvault.SecretPermissions{"list", "get"}, "list get"},
		{armkeyvault.AccessPolicyUpdateKindReplace, []armkeyvault.SecretPermissions{"set", "purge"}, "set purge"},
		{armkeyvault.AccessPolicyUpdateKindRemove, []armkeyvault.SecretPermissions{"set"}, "purge"},
		{armkeyvault.AccessPolicyUpdateKindRemove, []armkeyvault.SecretPermissions{"purge"}, ""},
	} {
		must(client.UpdateAccessPolicy(ctx, serve.Group, name, step.kind, policyOf(a.Server.Tenant, object, step.given...), nil))(t)
		got := []string{}
		for _, p := range must(client.Get(ctx, serve.Group, name, nil))(t).Properties.AccessPolicies {
			if *p.ObjectID == object {
				for _, s := range p.Permissions.Secrets {
					got = append(got, string(*s))
				}
			}
		}
		if strings.Join(got, " ") != step.want {
			t.Errorf("after %s of %v: %v, want %s", step.kind, step.given, got, step.want)
		}
	}
	changed := must(client.Update(ctx, serve.Group, name, armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{EnableRbacAuthorization: to.Ptr(true)}}, nil))(t)
	if !*changed.Properties.EnableRbacAuthorization {
		t.Error("a vault that is there can't be one with roles")
	}
	isIt := func(v *armkeyvault.Vault) bool { return *v.ID == *made.ID }
	if !has(all(t, client.NewListBySubscriptionPager(nil), func(p armkeyvault.VaultsClientListBySubscriptionResponse) []*armkeyvault.Vault { return p.Value }), isIt) {
		t.Error("it is not in the list of the subscription")
	}
	if !has(all(t, client.NewListByResourceGroupPager(serve.Group, nil), func(p armkeyvault.VaultsClientListByResourceGroupResponse) []*armkeyvault.Vault {
		return p.Value
	}), isIt) {
		t.Error("it is not in the list of the group")
	}
	if !has(all(t, client.NewListPager(nil), func(p armkeyvault.VaultsClientListResponse) []*armkeyvault.Resource { return p.Value }), func(r *armkeyvault.Resource) bool { return *r.ID == *made.ID }) {
		t.Error("it is not in the list of resources")
	}
	vaultRoles(t, a, a.vaultScope(name))
	vaultRoles(t, a, a.vaultScope(name)+"/secrets/one")
	deletedVault(t, a, name)
	activityLog(t, a, *made.ID)
}

// vaultRoles gives and takes a role.
func vaultRoles(t *testing.T, a *sdk, scope string) {
	t.Helper()
	definition := roleNamed(t, a, scope, "Key Vault Secrets User")
	if len(definition.Properties.Permissions[0].DataActions) != 2 {
		t.Errorf("%+v", definition.Properties.Permissions[0])
	}
	must(a.authorization.NewRoleDefinitionsClient().Get(t.Context(), scope, *definition.Name, nil))(t)
	assignments, id := a.authorization.NewRoleAssignmentsClient(), uuid.NewString()
	principal := a.someone(t).object
	must(assignments.Create(t.Context(), scope, id, armauthorization.RoleAssignmentCreateParameters{
		Properties: &armauthorization.RoleAssignmentProperties{PrincipalID: &principal, RoleDefinitionID: definition.ID, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal)},
	}, nil))(t)
	must(assignments.Get(t.Context(), scope, id, nil))(t)
	all(t, assignments.NewListForScopePager(scope, nil), func(p armauthorization.RoleAssignmentsClientListForScopeResponse) []*armauthorization.RoleAssignment {
		return p.Value
	})
	must(assignments.Delete(t.Context(), scope, id, nil))(t)
}

// deletedVault deletes a vault, recovers it, deletes it again and purges it; its
// secrets go with it.
func deletedVault(t *testing.T, a *sdk, name string) {
	t.Helper()
	client, ctx := a.vaultClient(t), t.Context()
	must(client.Update(ctx, serve.Group, name, armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{EnableRbacAuthorization: to.Ptr(false)}}, nil))(t)
	secrets := a.secrets(t, name, a.Server.Admin())
	setSecret(t, secrets, "kept", "value")
	must(client.Delete(ctx, serve.Group, name, nil))(t)
	if _, err := secrets.GetSecret(ctx, "kept", "", nil); statusOf(err) != 404 {
		t.Error("reading a secret of a deleted vault: ", err)
	}
	gone := must(client.GetDeleted(ctx, name, "here", nil))(t)
	if !strings.EqualFold(*gone.Properties.VaultID, "/"+a.vaultScope(name)) || !gone.Properties.ScheduledPurgeDate.After(time.Now().Add(89*24*time.Hour)) {
		t.Errorf("%+v", gone.Properties)
	}
	if !has(all(t, client.NewListDeletedPager(nil), func(p armkeyvault.VaultsClientListDeletedResponse) []*armkeyvault.DeletedVault { return p.Value }),
		func(v *armkeyvault.DeletedVault) bool { return *v.Name == name }) {
		t.Error("it is not in the list of deleted vaults")
	}
	modules := must(armkeyvault.NewManagedHsmsClient(a.Subscription, a.Server.Admin(), a.site.options(t)))(t)
	if n := len(all(t, modules.NewListDeletedPager(nil), func(p armkeyvault.ManagedHsmsClientListDeletedResponse) []*armkeyvault.DeletedManagedHsm {
		return p.Value
	})); n != 0 {
		t.Error(n, "deleted hardware modules")
	}
	poll(client.BeginCreateOrUpdate(ctx, serve.Group, name, armkeyvault.VaultCreateOrUpdateParameters{Location: to.Ptr("here"), Properties: &armkeyvault.VaultProperties{
		TenantID: &a.Server.Tenant, SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNameStandard)}, CreateMode: to.Ptr(armkeyvault.CreateModeRecover),
	}}, nil))(t)
	if got := must(secrets.GetSecret(ctx, "kept", "", nil))(t); *got.Value != "value" {
		t.Error("the recovered vault has another value: ", *got.Value)
	}
	must(client.Delete(ctx, serve.Group, name, nil))(t)
	// Its name is free for another, which has nothing of it.
	a.createVault(t, name)
	if _, err := secrets.GetSecret(ctx, "kept", "", nil); statusOf(err) != 404 {
		t.Error("a new vault has the secret of the old one: ", err)
	}
	poll(client.BeginPurgeDeleted(ctx, name, "here", nil))(t)
	if _, err := client.GetDeleted(ctx, name, "here", nil); statusOf(err) != 404 {
		t.Error("it is there after it was purged: ", err)
	}
}

// activityLog finds what was done to a vault.
func activityLog(t *testing.T, a *sdk, id string) {
	t.Helper()
	client := must(armmonitor.NewActivityLogsClient(a.Subscription, a.Server.Admin(), a.site.options(t)))(t)
	filter := "eventTimestamp ge '" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + "' and resourceUri eq '" + id + "'"
	events := all(t, client.NewListPager(filter, nil), func(p armmonitor.ActivityLogsClientListResponse) []*armmonitor.EventData { return p.Value })
	if !has(events, func(e *armmonitor.EventData) bool {
		return *e.OperationName.Value == "Microsoft.KeyVault/vaults/write" && *e.Status.Value == "Succeeded" && *e.HTTPRequest.ClientIPAddress != ""
	}) {
		t.Errorf("%d events, and none is its creation", len(events))
	}
}
