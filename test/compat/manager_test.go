package compat_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/google/uuid"

	"github.com/drydockhq/drydock/test/serve"
)

const acrNamespace = "Microsoft.ContainerRegistry"

// subscription asks for what is there before anything was made.
func subscription(t *testing.T, a *sdk) {
	list := all(t, a.subscriptions.NewClient().NewListPager(nil), func(p armsubscriptions.ClientListResponse) []*armsubscriptions.Subscription { return p.Value })
	if len(list) != 1 || *list[0].SubscriptionID != a.Subscription || *list[0].State != armsubscriptions.SubscriptionStateEnabled {
		t.Errorf("the subscriptions are %+v", list)
	}
	one := must(a.subscriptions.NewClient().Get(t.Context(), a.Subscription, nil))(t)
	if *one.TenantID != a.Server.Tenant {
		t.Errorf("the tenant is %s", *one.TenantID)
	}
	if l := all(t, a.subscriptions.NewClient().NewListLocationsPager(a.Subscription, nil), func(p armsubscriptions.ClientListLocationsResponse) []*armsubscriptions.Location { return p.Value }); len(l) == 0 {
		t.Error("there is no location")
	}
	tenants := all(t, a.subscriptions.NewTenantsClient().NewListPager(nil), func(p armsubscriptions.TenantsClientListResponse) []*armsubscriptions.TenantIDDescription {
		return p.Value
	})
	if len(tenants) != 1 || *tenants[0].TenantID != a.Server.Tenant {
		t.Errorf("the tenants are %+v", tenants)
	}
	providers := a.resources.NewProvidersClient()
	if !has(all(t, providers.NewListPager(nil), func(p armresources.ProvidersClientListResponse) []*armresources.Provider { return p.Value }),
		func(p *armresources.Provider) bool { return *p.Namespace == acrNamespace }) {
		t.Error("there is no provider of registries")
	}
	if p := must(providers.Get(t.Context(), acrNamespace, nil))(t); *p.RegistrationState != "Registered" {
		t.Errorf("the provider is %s", *p.RegistrationState)
	}
	must(providers.Register(t.Context(), acrNamespace, nil))(t)
	if !has(all(t, a.acr.NewOperationsClient().NewListPager(nil), func(p armcontainerregistry.OperationsClientListResponse) []*armcontainerregistry.OperationDefinition {
		return p.Value
	}), func(o *armcontainerregistry.OperationDefinition) bool {
		return *o.Name == acrNamespace+"/registries/scheduleRun/action"
	}) {
		t.Error("no action gives runs")
	}
}

// groups makes a group, and deletes it with the registry in it.
func groups(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.resources.NewResourceGroupsClient()
	const name = "groups-of-their-own"
	made := must(c.CreateOrUpdate(ctx, name, armresources.ResourceGroup{Location: to.Ptr("west"), Tags: map[string]*string{"a": to.Ptr("b")}}, nil))(t)
	if *made.Properties.ProvisioningState != "Succeeded" || *made.Location != "west" {
		t.Errorf("the group is %+v", made)
	}
	must(c.Update(ctx, name, armresources.ResourceGroupPatchable{Tags: map[string]*string{"c": to.Ptr("d")}}, nil))(t)
	if g := must(c.Get(ctx, name, nil))(t); *g.Tags["c"] != "d" {
		t.Errorf("the tags are %v", g.Tags)
	}
	if !has(all(t, c.NewListPager(nil), func(p armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup { return p.Value }),
		func(g *armresources.ResourceGroup) bool { return *g.Name == name }) {
		t.Error("the group is not in the list")
	}
	registries := a.acr.NewRegistriesClient()
	poll(registries.BeginCreate(ctx, name, "doomed", registryBody(), nil))(t)
	resources := a.resources.NewClient()
	below := all(t, resources.NewListByResourceGroupPager(name, nil), func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
		return p.Value
	})
	if len(below) != 1 || *below[0].Name != "doomed" {
		t.Errorf("in the group are %+v", below)
	}
	filter := "resourceType eq '" + acrNamespace + "/registries' and name eq 'doomed'"
	found := all(t, resources.NewListPager(&armresources.ClientListOptions{Filter: &filter}), func(p armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return p.Value })
	if len(found) != 1 {
		t.Errorf("found %+v", found)
	}
	poll(c.BeginDelete(ctx, name, nil))(t)
	if e := must(c.CheckExistence(ctx, name, nil))(t); e.Success {
		t.Error("the group is still there")
	}
	if e := must(c.CheckExistence(ctx, serve.Group, nil))(t); !e.Success {
		t.Error("a group that is there is not")
	}
	free := must(registries.CheckNameAvailability(ctx, armcontainerregistry.RegistryNameCheckRequest{Name: to.Ptr("doomed"), Type: to.Ptr(acrNamespace + "/registries")}, nil))(t)
	if !*free.NameAvailable {
		t.Errorf("the name of a deleted registry is taken: %s", *free.Message)
	}
}

// roles gives the identity of a task a role at each scope, and takes it again.
func roles(t *testing.T, a *sdk) {
	principal := *poll(a.acr.NewTasksClient().BeginCreate(t.Context(), serve.Group, a.registry, "robot", armcontainerregistry.Task{
		Location:   to.Ptr("here"),
		Identity:   &armcontainerregistry.IdentityProperties{Type: to.Ptr(armcontainerregistry.ResourceIdentityTypeSystemAssigned)},
		Properties: &armcontainerregistry.TaskProperties{Platform: linux(), Step: encodedStep("steps:\n- cmd: busybox true\n")},
	}, nil))(t).Identity.PrincipalID
	subscription := "subscriptions/" + a.Subscription
	for _, scope := range []string{subscription, subscription + "/resourceGroups/" + serve.Group, a.scope()} {
		definition := roleNamed(t, a, scope, "AcrPull")
		assignments, id := a.authorization.NewRoleAssignmentsClient(), uuid.NewString()
		made := must(assignments.Create(t.Context(), scope, id, armauthorization.RoleAssignmentCreateParameters{
			Properties: &armauthorization.RoleAssignmentProperties{PrincipalID: &principal, RoleDefinitionID: definition.ID, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal)},
		}, nil))(t)
		if *made.Name != id || !strings.EqualFold(strings.Trim(*made.Properties.Scope, "/"), scope) {
			t.Errorf("at %s there is now %+v", scope, made.Properties)
		}
		must(assignments.Get(t.Context(), scope, id, nil))(t)
		listed := func() bool {
			return has(all(t, assignments.NewListForScopePager(scope, nil), func(p armauthorization.RoleAssignmentsClientListForScopeResponse) []*armauthorization.RoleAssignment {
				return p.Value
			}),
				func(r *armauthorization.RoleAssignment) bool { return *r.Name == id })
		}
		if !listed() {
			t.Errorf("the list of %s is without the role", scope)
		}
		must(assignments.Delete(t.Context(), scope, id, nil))(t)
		if listed() {
			t.Errorf("the list of %s still has the role", scope)
		}
	}
}

// roleNamed returns a role as it is shown at a scope.
func roleNamed(t *testing.T, a *sdk, scope, name string) armauthorization.RoleDefinition {
	t.Helper()
	c, filter := a.authorization.NewRoleDefinitionsClient(), "roleName eq '"+name+"'"
	found := all(t, c.NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{Filter: &filter}),
		func(p armauthorization.RoleDefinitionsClientListResponse) []*armauthorization.RoleDefinition {
			return p.Value
		})
	if len(found) != 1 {
		t.Fatalf("%d roles are called %s", len(found), name)
	}
	return must(c.Get(t.Context(), scope, *found[0].Name, nil))(t).RoleDefinition
}
