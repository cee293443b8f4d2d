package arm_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock/internal/auth"
)

func TestSubscription(t *testing.T) {
	t.Parallel()
	s := start(t)
	for path, want := range map[string]any{
		"/subscriptions/" + s.Subscription: "Enabled", "/SUBSCRIPTIONS/" + s.Subscription + "/": "Enabled",
	} {
		if a := s.Do(t, s.token, http.MethodGet, path, ""); a.At("state") != want || a.At("tenantId") != s.Tenant || a.At("id") != "/subscriptions/"+s.Subscription {
			t.Errorf("%s: %d %v", path, a.Status, a.Body)
		}
	}
	a := s.Do(t, s.token, http.MethodGet, "/tenants", "")
	if values, _ := a.At("value").([]any); len(values) != 1 || values[0].(map[string]any)["tenantId"] != s.Tenant {
		t.Errorf("%v", a.Body)
	}
	providers, err := armresources.NewProvidersClient(s.Subscription, s.Credential(t, s.Admin), s.Options())
	if err != nil {
		t.Fatal(err)
	}
	page, err := providers.NewListPager(nil).NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Microsoft.Authorization", "Microsoft.ContainerRegistry", "Microsoft.ManagedIdentity", "Microsoft.Resources"} {
		if !slices.ContainsFunc(page.Value, func(p *armresources.Provider) bool { return *p.Namespace == want }) {
			t.Errorf("the provider %s is not listed", want)
		}
	}
}

func TestLocations(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso") // in westeurope
	path := "/subscriptions/" + s.Subscription
	if a := s.Do(t, s.token, http.MethodPut, path+"/resourceGroups/h", `{"location":"North Pole"}`); a.Status != 201 {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	names := func(token string) (list []string) {
		a := s.Do(t, token, http.MethodGet, path+"/locations", "")
		values, _ := a.At("value").([]any)
		for _, v := range values {
			list = append(list, v.(map[string]any)["name"].(string)+"="+v.(map[string]any)["displayName"].(string))
		}
		return list
	}
	if diff := cmp.Diff([]string{"local=local", "northpole=North Pole", "westeurope=westeurope"}, names(s.token)); diff != "" {
		t.Error(diff)
	}
	// Who may read one group knows where that is.
	reader := s.Token(t, s.Principal(t, auth.ReaderRole, s.Scope("h")))
	if diff := cmp.Diff([]string{"local=local", "northpole=North Pole"}, names(reader)); diff != "" {
		t.Error(diff)
	}
}

// The SDK signs in with either flavour of the authority.
func TestSignInAsADFS(t *testing.T) {
	t.Parallel()
	s := start(t)
	options := &azidentity.ClientSecretCredentialOptions{ClientOptions: s.Options().ClientOptions, DisableInstanceDiscovery: true}
	for tenant, status := range map[string]int{"adfs": 0, s.Tenant: 0, s.Subscription: 400} {
		credential, err := azidentity.NewClientSecretCredential(tenant, s.Admin.AppID, s.Admin.Secret, options)
		if err != nil {
			t.Fatal(err)
		}
		groups, err := armresources.NewResourceGroupsClient(s.Subscription, credential, s.Options())
		if err != nil {
			t.Fatal(err)
		}
		_, err = groups.NewListPager(nil).NextPage(t.Context())
		if (err != nil) != (status != 0) {
			t.Errorf("tenant %s: %v", tenant, err)
		}
	}
	credential, err := azidentity.NewClientSecretCredential(s.Tenant, s.Admin.AppID, "wrong", options)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := armresources.NewResourceGroupsClient(s.Subscription, credential, s.Options())
	if err != nil {
		t.Fatal(err)
	}
	var failed *azidentity.AuthenticationFailedError
	if _, err = groups.NewListPager(nil).NextPage(t.Context()); !errors.As(err, &failed) || failed.RawResponse.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %v", err)
	}
}

// While the database is away, requests are told to come again.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	path := s.Scope("g", "registries", "contoso").String()
	s.Away(true)
	for method, body := range map[string]string{http.MethodGet: "", http.MethodPut: `{"location":"westeurope"}`, http.MethodDelete: ""} {
		a := s.Do(t, s.token, method, path, body)
		if a.Status != http.StatusServiceUnavailable || a.Code() != "ServiceUnavailable" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", method, a.Status, a.Body)
		}
	}
	s.Away(false)
	if a := s.Do(t, s.token, http.MethodGet, path, ""); a.Status != 200 {
		t.Errorf("afterwards: %d", a.Status)
	}
}

func TestTokenForAnotherService(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso")
	tokens := &auth.RegistryTokens{Authority: s.Authority, Roles: s.Store, AdminUsers: &auth.AdminUsers{Resources: s.Store, Sealer: s.Sealer}, Tokens: s.Tokens}
	admin, err := s.Store.PrincipalByAppID(t.Context(), s.Admin.AppID)
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := tokens.MintRefresh(t.Context(), registry, admin)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.Do(t, refresh, http.MethodGet, registry.String(), ""); a.Status != 401 || a.Code() != "InvalidAuthenticationTokenAudience" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}
