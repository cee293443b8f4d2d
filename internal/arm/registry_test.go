package arm_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/drydockhq/drydock/internal/arm/armtest"
	"github.com/drydockhq/drydock/internal/auth"
)

func TestRegistryWithTheSDK(t *testing.T) {
	t.Parallel()
	s := start(t)
	created := s.registry(t, "contoso")
	p := created.Properties
	if *created.ID != s.Scope("g", "registries", "contoso").String() || *created.Type != "Microsoft.ContainerRegistry/registries" ||
		*created.SKU.Tier != acr.SKUTierStandard || p.CreationDate.IsZero() || *p.AdminUserEnabled ||
		*p.PublicNetworkAccess != acr.PublicNetworkAccessEnabled || *p.ZoneRedundancy != acr.ZoneRedundancyDisabled ||
		*p.Policies.RetentionPolicy.Days != 7 || *p.Policies.TrustPolicy.Type != acr.TrustPolicyTypeNotary {
		t.Errorf("created %+v", p)
	}
	ctx, client := t.Context(), s.acr.NewRegistriesClient()
	poller, err := client.BeginUpdate(ctx, "G", "CONTOSO", acr.RegistryUpdateParameters{
		Tags:       map[string]*string{"a": to.Ptr("b")},
		SKU:        &acr.SKU{Name: to.Ptr(acr.SKUNamePremium)},
		Properties: &acr.RegistryPropertiesUpdateParameters{AdminUserEnabled: to.Ptr(true)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	updated, err := poller.PollUntilDone(ctx, quick)
	if err != nil || !*updated.Properties.AdminUserEnabled || *updated.SKU.Name != acr.SKUNamePremium || *updated.SKU.Tier != acr.SKUTierPremium ||
		*updated.Tags["a"] != "b" || *updated.Name != "contoso" || !updated.Properties.CreationDate.Equal(*p.CreationDate) {
		t.Errorf("updated %+v: %v", updated, err)
	}
	credentials, err := client.ListCredentials(ctx, "g", "contoso", nil)
	if err != nil || *credentials.Username != "contoso" || len(credentials.Passwords) != 2 {
		t.Fatalf("%+v: %v", credentials, err)
	}
	renewed, err := client.RegenerateCredential(ctx, "g", "contoso", acr.RegenerateCredentialParameters{Name: to.Ptr(acr.PasswordNamePassword2)}, nil)
	if err != nil || *renewed.Passwords[0].Value != *credentials.Passwords[0].Value || *renewed.Passwords[1].Value == *credentials.Passwords[1].Value {
		t.Errorf("%+v: %v", renewed, err)
	}
	usages, err := client.ListUsages(ctx, "g", "contoso", nil)
	if err != nil || *usages.Value[0].Name != "Size" || *usages.Value[0].CurrentValue != 12345 {
		t.Errorf("%+v: %v", usages, err)
	}
	if page, err := client.NewListPager(nil).NextPage(ctx); err != nil || len(page.Value) != 1 {
		t.Errorf("%+v: %v", page, err)
	}
	if page, err := client.NewListByResourceGroupPager("g", nil).NextPage(ctx); err != nil || len(page.Value) != 1 {
		t.Errorf("%+v: %v", page, err)
	}
	gone, err := client.BeginDelete(ctx, "g", "contoso", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(ctx, quick); err != nil {
		t.Error(err)
	}
	_, err = client.Get(ctx, "g", "contoso", nil)
	wantCode(t, "a deleted registry", err, 404, "ResourceNotFound")
	if _, err = client.BeginDelete(ctx, "g", "contoso", nil); err != nil {
		t.Errorf("deleting it again: %v", err)
	}
	_, err = client.Get(ctx, "nowhere", "contoso", nil)
	wantCode(t, "an unknown group", err, 404, "ResourceGroupNotFound")
}

func TestRegistryNamesAreGlobal(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	ctx, client := t.Context(), s.acr.NewRegistriesClient()
	if _, err := s.groups.CreateOrUpdate(ctx, "second", armresources.ResourceGroup{Location: to.Ptr("x")}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := client.BeginCreate(ctx, "second", "contoso", acr.Registry{Location: to.Ptr("x"), SKU: &acr.SKU{Name: to.Ptr(acr.SKUNameBasic)}}, nil)
	wantCode(t, "a name that is taken", err, 409, "AlreadyInUse")
	for name, want := range map[string]string{"contoso": "AlreadyExists", "Contoso": "AlreadyExists", "abc": "Invalid", "with-dash": "Invalid", "free0": ""} {
		got, err := client.CheckNameAvailability(ctx, acr.RegistryNameCheckRequest{Name: &name}, nil)
		if err != nil || *got.NameAvailable != (want == "") || want != "" && *got.Reason != want {
			t.Errorf("%s: %+v: %v", name, got, err)
		}
	}
}

// Of many that ask for a name at once, in different groups, one gets it.
func TestOneOfManyGetsAName(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	s.put(t, s.Scope("h"), `{"location":"x"}`)
	statuses := make([]int, 12)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			group := "g"
			if i%2 == 1 {
				group = "h"
			}
			statuses[i] = s.Do(t, s.token, http.MethodPut, s.Scope(group, "registries", "contoso").String(), `{"location":"x"}`).Status
		})
	}
	all.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	if count[201] != 1 || count[200] != 5 || count[409] != 6 {
		t.Errorf("answered %v", count)
	}
}

func TestRegistryNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	for _, name := range []string{"Upper0", "abc", strings.Repeat("a", 51), "with-dash", "with_under", "with.dot", "....."} {
		a := s.Do(t, s.token, http.MethodPut, s.Scope("g").String()+"/providers/Microsoft.ContainerRegistry/registries/"+name, `{"location":"x"}`)
		if a.Status != 400 || a.Code() != "InvalidResourceName" {
			t.Errorf("%s: %d %v", name, a.Status, a.Body)
		}
	}
}

// What a client sends that nobody knows comes back; what only the server says
// does not come from clients.
func TestRegistryKeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	id := s.Scope("g", "registries", "contoso")
	s.put(t, id, `{"location":"x","sku":{"name":"Ultra"},"id":"/forged","systemData":{"createdBy":"me"},"drydock":{"state":"Deleting"},
		"properties":{"newThing":{"n":12345678901234567890,"list":[1,{"a":null}]},"loginServer":"evil.example","provisioningState":"Failed"}}`)
	got := s.Do(t, s.token, http.MethodGet, id.String(), "")
	if got.At("sku.name") != "Ultra" || got.At("id") != id.String() || got.At("properties.loginServer") != "contoso."+armtest.RegistryDomain ||
		got.At("properties.provisioningState") != "Succeeded" || got.At("drydock") != nil || got.At("systemData.createdBy") != nil {
		t.Errorf("%v", got.Body)
	}
	if list, _ := got.At("properties.newThing.list").([]any); len(list) != 2 {
		t.Errorf("the unknown property is %v", got.At("properties.newThing"))
	}
	s.Do(t, s.token, http.MethodPatch, id.String(), `{"properties":{"newThing":{"list":null},"other":true}}`)
	got = s.Do(t, s.token, http.MethodGet, id.String(), "")
	thing, _ := got.At("properties.newThing").(map[string]any)
	if len(thing) != 1 || got.At("properties.other") != true {
		t.Errorf("after the change: %v", got.At("properties"))
	}
}

func TestPreconditions(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	path := s.Scope("g", "registries", "contoso").String()
	etag := s.Do(t, s.token, http.MethodGet, path, "").Header.Get("ETag")
	if len(etag) < 3 || etag[0] != '"' {
		t.Fatalf("the ETag is %q", etag)
	}
	body := `{"location":"westeurope","tags":{"a":"b"}}`
	for _, test := range []struct {
		method, header, value string
		status                int
	}{
		{http.MethodPut, "If-None-Match", "*", 412},
		{http.MethodPut, "If-Match", `"other"`, 412},
		{http.MethodDelete, "If-Match", `"other"`, 412},
		{http.MethodPatch, "If-Match", `"other"`, 412},
		{http.MethodPut, "If-Match", etag, 200},
		{http.MethodPut, "If-Match", etag, 412}, // it has changed
		{http.MethodPatch, "If-Match", "*", 200},
	} {
		a := s.Do(t, s.token, test.method, path, body, test.header, test.value)
		if a.Status != test.status || test.status == 412 && a.Code() != "PreconditionFailed" {
			t.Errorf("%s with %s: %s: %d %v", test.method, test.header, test.value, a.Status, a.Body)
		}
	}
	if a := s.Do(t, s.token, http.MethodPut, s.Scope("g", "registries", "nobody").String(), body, "If-Match", "*"); a.Status != 412 {
		t.Errorf("replacing what is not there: %d", a.Status)
	}
}

// Lists show what their reader may read; who may read nothing gets none.
func TestListsShowWhatMayBeRead(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.registry(t, "fabrikam")
	s.put(t, s.Scope("g", "registries", "contoso", "tasks", "nightly"), `{"properties":{"step":{"type":"EncodedTask","encodedTaskContent":"eA=="}}}`)
	reader := s.Token(t, s.Principal(t, auth.ReaderRole, s.Scope("g", "registries", "contoso")))
	sub := "/subscriptions/" + s.Subscription
	names := func(token, path string) string {
		t.Helper()
		a := s.Do(t, token, http.MethodGet, path, "")
		var all []string
		for _, v := range a.At("value").([]any) {
			all = append(all, v.(map[string]any)["name"].(string))
		}
		return strings.Join(all, " ")
	}
	const byType = "/resources?$filter=resourceType%20eq%20'Microsoft.ContainerRegistry/registries'"
	for _, test := range []struct{ token, path, want string }{
		{s.token, sub + "/providers/microsoft.containerregistry/registries", "contoso fabrikam"},
		{reader, sub + "/providers/Microsoft.ContainerRegistry/registries", "contoso"},
		{s.token, sub + byType, "contoso fabrikam"},
		{reader, sub + byType, "contoso"},
		{s.token, sub + "/resources", "contoso nightly fabrikam"},
		{reader, sub + "/resources", "contoso nightly"},
		{s.token, sub + "/resources?$filter=name%20eq%20'FABRIKAM'%20and%20resourceGroup%20eq%20'G'", "fabrikam"},
		{s.token, sub + "/resourcegroups/g/resources?$filter=location%20eq%20'westeurope'%20and%20startswith(name,'n')", "nightly"},
		{reader, sub + "/resourcegroups", "g"},
		{s.token, sub + "/resources?$top=2", "contoso nightly"},
	} {
		if got := names(test.token, test.path); got != test.want {
			t.Errorf("%s: %q, want %q", test.path, got, test.want)
		}
	}
}

func TestListOfResourcesHasPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.registry(t, "fabrikam")
	client, err := armresources.NewClient(s.Subscription, s.Credential(t, s.Admin), s.Options())
	if err != nil {
		t.Fatal(err)
	}
	pager := client.NewListPager(&armresources.ClientListOptions{
		Filter: to.Ptr("resourceType eq 'Microsoft.ContainerRegistry/registries'"), Expand: to.Ptr("createdTime,provisioningState"),
	})
	page, err := pager.NextPage(t.Context())
	if err != nil || len(page.Value) != 2 || page.Value[0].CreatedTime == nil || *page.Value[0].ProvisioningState != "Succeeded" || pager.More() {
		t.Errorf("%+v: %v", page, err)
	}
}
