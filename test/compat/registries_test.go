package compat_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

func registryBody() armcontainerregistry.Registry {
	return armcontainerregistry.Registry{
		Location: to.Ptr("here"), SKU: &armcontainerregistry.SKU{Name: to.Ptr(armcontainerregistry.SKUNamePremium)},
	}
}

// registries makes a second registry, changes it and deletes it.
func registries(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewRegistriesClient()
	const name = "secondregistry"
	check := armcontainerregistry.RegistryNameCheckRequest{Name: to.Ptr(name), Type: to.Ptr(acrNamespace + "/registries")}
	if free := must(c.CheckNameAvailability(ctx, check, nil))(t); !*free.NameAvailable {
		t.Error("a name that nobody has is taken")
	}
	made := poll(c.BeginCreate(ctx, serve.Group, name, registryBody(), nil))(t)
	if *made.Properties.LoginServer != a.Server.LoginServer(name) || *made.Properties.ProvisioningState != armcontainerregistry.ProvisioningStateSucceeded {
		t.Errorf("the registry is %+v", made.Properties)
	}
	if free := must(c.CheckNameAvailability(ctx, check, nil))(t); *free.NameAvailable || *free.Reason != "AlreadyExists" {
		t.Error("a name that is taken is free")
	}
	changed := poll(c.BeginUpdate(ctx, serve.Group, name, armcontainerregistry.RegistryUpdateParameters{
		SKU: &armcontainerregistry.SKU{Name: to.Ptr(armcontainerregistry.SKUNameBasic)}, Tags: map[string]*string{"team": to.Ptr("a")},
	}, nil))(t)
	if *changed.SKU.Name != armcontainerregistry.SKUNameBasic || *changed.SKU.Tier != armcontainerregistry.SKUTierBasic || *changed.Tags["team"] != "a" {
		t.Errorf("the changed registry is %+v", changed.Registry)
	}
	isIt := func(r *armcontainerregistry.Registry) bool { return *r.Name == name }
	if !has(all(t, c.NewListPager(nil), func(p armcontainerregistry.RegistriesClientListResponse) []*armcontainerregistry.Registry {
		return p.Value
	}), isIt) ||
		!has(all(t, c.NewListByResourceGroupPager(serve.Group, nil), func(p armcontainerregistry.RegistriesClientListByResourceGroupResponse) []*armcontainerregistry.Registry {
			return p.Value
		}), isIt) {
		t.Error("the registry is in no list")
	}
	if got := must(c.Get(ctx, serve.Group, name, nil))(t); *got.ID != *made.ID || got.Properties.CreationDate.IsZero() {
		t.Errorf("the registry is %+v", got.Registry)
	}
	if usages := must(c.ListUsages(ctx, serve.Group, name, nil))(t); !has(usages.Value, func(u *armcontainerregistry.RegistryUsage) bool {
		return *u.Name == "Size" && *u.CurrentValue == 0
	}) {
		t.Errorf("the usages are %+v", usages.Value)
	}
	poll(c.BeginDelete(ctx, serve.Group, name, nil))(t)
	if _, err := c.Get(ctx, serve.Group, name, nil); err == nil {
		t.Error("the registry is still there")
	}
}

// credentials are those of the admin user, which there is when it is wanted.
func credentials(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewRegistriesClient()
	if _, err := c.ListCredentials(ctx, serve.Group, a.registry, nil); err == nil {
		t.Error("a registry without an admin user has credentials of one")
	}
	before := a.adminUser(t)
	after := must(c.RegenerateCredential(ctx, serve.Group, a.registry, armcontainerregistry.RegenerateCredentialParameters{Name: to.Ptr(armcontainerregistry.PasswordNamePassword2)}, nil))(t)
	if *after.Username != a.registry || len(after.Passwords) != 2 || *after.Passwords[0].Value != before || *after.Passwords[1].Value == before {
		t.Errorf("the credentials are those of %s", *after.Username)
	}
}

// adminUser gives the registry an admin user and returns a password of it.
func (a *sdk) adminUser(t *testing.T) string {
	t.Helper()
	c := a.acr.NewRegistriesClient()
	poll(c.BeginUpdate(t.Context(), serve.Group, a.registry, armcontainerregistry.RegistryUpdateParameters{
		Properties: &armcontainerregistry.RegistryPropertiesUpdateParameters{AdminUserEnabled: to.Ptr(true)},
	}, nil))(t)
	return *must(c.ListCredentials(t.Context(), serve.Group, a.registry, nil))(t).Passwords[0].Value
}

// importImage copies an image within a registry and between two, by a
// credential and by the id of the other.
func importImage(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewRegistriesClient()
	poll(c.BeginCreate(ctx, serve.Group, "importedto", registryBody(), nil))(t)
	digest := a.push(t, a.login+"/base/hello:v1")
	password := a.adminUser(t)
	for target, source := range map[string]*armcontainerregistry.ImportSource{
		"byid":         {ResourceID: to.Ptr("/" + a.scope()), SourceImage: to.Ptr("base/hello:v1")},
		"bydigest":     {ResourceID: to.Ptr("/" + a.scope()), SourceImage: to.Ptr("base/hello@" + digest)},
		"bycredential": {RegistryURI: &a.login, SourceImage: to.Ptr("base/hello:v1"), Credentials: &armcontainerregistry.ImportSourceCredentials{Username: &a.registry, Password: &password}},
	} {
		poll(c.BeginImportImage(ctx, serve.Group, "importedto", armcontainerregistry.ImportImageParameters{
			Source: source, TargetTags: []*string{to.Ptr(target + ":v2")}, Mode: to.Ptr(armcontainerregistry.ImportModeNoForce),
		}, nil))(t)
		if got := a.digest(t, a.Server.LoginServer("importedto")+"/"+target+":v2"); got != digest {
			t.Errorf("%s is %s, not %s", target, got, digest)
		}
	}
}
