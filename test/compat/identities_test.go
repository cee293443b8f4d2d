package compat_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/msi/armmsi"

	"github.com/drydockhq/drydock/test/serve"
)

// identities makes user-assigned identities, and changes, lists and deletes them.
func identities(t *testing.T, a *sdk) {
	const name = "identities-puller"
	ctx := t.Context()
	client := must(armmsi.NewUserAssignedIdentitiesClient(a.Subscription, a.Server.Admin(), a.site.options(t)))(t)
	made := must(client.CreateOrUpdate(ctx, serve.Group, name, armmsi.Identity{Location: to.Ptr("here"), Tags: map[string]*string{"a": to.Ptr("b")}}, nil))(t)
	if *made.Properties.PrincipalID == "" || *made.Properties.ClientID == *made.Properties.PrincipalID || *made.Properties.TenantID != a.Server.Tenant {
		t.Errorf("made %+v", made.Properties)
	}
	again := must(client.CreateOrUpdate(ctx, serve.Group, name, armmsi.Identity{Location: to.Ptr("here")}, nil))(t)
	if *again.Properties.PrincipalID != *made.Properties.PrincipalID {
		t.Error("made again, it is another identity")
	}
	must(client.Update(ctx, serve.Group, name, armmsi.IdentityUpdate{Tags: map[string]*string{"c": to.Ptr("d")}}, nil))(t)
	if got := must(client.Get(ctx, serve.Group, name, nil))(t); *got.Tags["c"] != "d" || *got.Properties.ClientID != *made.Properties.ClientID {
		t.Errorf("changed, it is %+v", got.Identity)
	}
	isIt := func(i *armmsi.Identity) bool { return strings.EqualFold(*i.ID, *made.ID) }
	if !has(all(t, client.NewListByResourceGroupPager(serve.Group, nil), func(p armmsi.UserAssignedIdentitiesClientListByResourceGroupResponse) []*armmsi.Identity {
		return p.Value
	}), isIt) {
		t.Error("it is not in the list of the group")
	}
	if !has(all(t, client.NewListBySubscriptionPager(nil), func(p armmsi.UserAssignedIdentitiesClientListBySubscriptionResponse) []*armmsi.Identity {
		return p.Value
	}), isIt) {
		t.Error("it is not in the list of the subscription")
	}
	must(client.Delete(ctx, serve.Group, name, nil))(t)
	if _, err := client.Get(ctx, serve.Group, name, nil); statusOf(err) != 404 {
		t.Error("it is there after it was deleted: ", err)
	}
}
