package arm_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
)

// scopeMapBody is a scope map with which to pull from a repository.
const scopeMapBody = `{"properties":{"actions":["repositories/hello/content/read"]}}`

func TestTokenWithTheSDK(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso")
	mapClient, tokenClient, registries := s.acr.NewScopeMapsClient(), s.acr.NewTokensClient(), s.acr.NewRegistriesClient()
	madeMap, err := mapClient.BeginCreate(t.Context(), "g", "contoso", "reader", acr.ScopeMap{Properties: &acr.ScopeMapProperties{
		Description: to.Ptr("to read"), Actions: []*string{to.Ptr("repositories/hello/content/read")},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	scopeMap, err := madeMap.PollUntilDone(t.Context(), nil)
	if err != nil || *scopeMap.Properties.Type != "UserDefined" || scopeMap.Properties.CreationDate == nil {
		t.Fatalf("%+v %v", scopeMap.Properties, err)
	}
	madeToken, err := tokenClient.BeginCreate(t.Context(), "g", "contoso", "robot", acr.Token{Properties: &acr.TokenProperties{ScopeMapID: scopeMap.ID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := madeToken.PollUntilDone(t.Context(), nil)
	if err != nil || *token.Properties.Status != acr.TokenStatusEnabled || token.Properties.Credentials == nil {
		t.Fatalf("%+v %v", token.Properties, err)
	}
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	generated, err := registries.BeginGenerateCredentials(t.Context(), "g", "contoso", acr.GenerateCredentialsParameters{TokenID: token.ID, Expiry: &expires}, nil)
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := generated.PollUntilDone(t.Context(), nil)
	if err != nil || *credentials.Username != "robot" || len(credentials.Passwords) != 2 {
		t.Fatalf("%+v %v", credentials, err)
	}
	if p := credentials.Passwords[1]; *p.Name != acr.TokenPasswordNamePassword2 || !p.Expiry.Equal(expires) || len(*p.Value) < 32 {
		t.Errorf("%+v", p)
	}
	got, err := tokenClient.Get(t.Context(), "g", "contoso", "robot", nil)
	if err != nil || len(got.Properties.Credentials.Passwords) != 2 || got.Properties.Credentials.Passwords[0].Value != nil {
		t.Errorf("%+v %v", got.Properties, err)
	}
	changed, err := tokenClient.BeginUpdate(t.Context(), "g", "contoso", "robot", acr.TokenUpdateParameters{Properties: &acr.TokenUpdateProperties{
		Status:      to.Ptr(acr.TokenStatusDisabled),
		Credentials: &acr.TokenCredentialsProperties{Passwords: []*acr.TokenPassword{{Name: to.Ptr(acr.TokenPasswordNamePassword2)}}},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := changed.PollUntilDone(t.Context(), nil)
	if err != nil || *after.Properties.Status != acr.TokenStatusDisabled || len(after.Properties.Credentials.Passwords) != 1 || *after.Properties.ScopeMapID != *scopeMap.ID {
		t.Errorf("%+v %v", after.Properties, err)
	}
	page, err := mapClient.NewListPager("g", "contoso", nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 6 || *page.Value[0].Name != "_repositories_admin" || *page.Value[0].Properties.Type != "SystemDefined" || *page.Value[5].Name != "reader" {
		t.Errorf("%+v %v", page, err)
	}
	deleted, err := mapClient.BeginDelete(t.Context(), "g", "contoso", "reader", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deleted.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got, err = tokenClient.Get(t.Context(), "g", "contoso", "robot", nil)
	if err != nil || got.Properties.ScopeMapID != nil {
		t.Errorf("after its scope map was deleted: %+v %v", got.Properties, err)
	}
	gone, err := tokenClient.BeginDelete(t.Context(), "g", "contoso", "robot", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if a := s.Do(t, s.token, http.MethodGet, id.Child("tokens", "robot").String(), ""); a.Code() != "ResourceNotFound" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}

func TestScopeMapsRefuse(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso")
	for _, c := range []struct{ method, name, body, want string }{
		{http.MethodPut, "abcd", scopeMapBody, "InvalidResourceName"},
		{http.MethodPut, "with.dot", scopeMapBody, "InvalidResourceName"},
		{http.MethodPut, "reader", `{}`, "InvalidRequestContent"},
		{http.MethodPut, "reader", `{"properties":{"description":"x"}}`, "InvalidRequestContent"},
		{http.MethodPut, "reader", `{"properties":{"actions":"all"}}`, "InvalidRequestContent"},
		{http.MethodPut, "reader", `{"properties":{"actions":[1]}}`, "InvalidRequestContent"},
		{http.MethodPut, "reader", `{"properties":{"actions":["repositories/hello/content/fly"]}}`, "InvalidScopeMapAction"},
		{http.MethodPut, "reader", `{"properties":{"actions":["repositories/hello/metadata/delete"]}}`, "InvalidScopeMapAction"},
		{http.MethodPut, "reader", `{"properties":{"actions":["repositories/*/hello/content/read"]}}`, "InvalidScopeMapAction"},
		{http.MethodPut, "reader", `{"properties":{"actions":["gateway/edge/config/read"]}}`, "InvalidScopeMapAction"},
		{http.MethodPut, "reader", `{"properties":{"actions":[],"description":"` + strings.Repeat("x", 257) + `"}}`, "InvalidRequestContent"},
		{http.MethodPut, "_repositories_pull", scopeMapBody, "SystemDefinedScopeMap"},
		{http.MethodPut, "_repositories_pull", `{"properties":{"actions":["repositories/*/content/read"]}}`, ""},
		{http.MethodPatch, "_repositories_pull", `{"properties":{"description":"mine"}}`, "SystemDefinedScopeMap"},
		{http.MethodDelete, "_Repositories_Pull", "", "SystemDefinedScopeMap"},
		{http.MethodPatch, "missing", scopeMapBody, "ResourceNotFound"},
		{http.MethodPut, "reader", scopeMapBody, ""},
		{http.MethodPatch, "reader", `{"properties":{"actions":["repositories/Hello/content/read","repositories/hello/content/READ"]}}`, ""},
	} {
		if a := s.Do(t, s.token, c.method, id.Child("scopeMaps", c.name).String(), c.body); a.Code() != c.want {
			t.Errorf("%s %s %s: %d %v, want %q", c.method, c.name, c.body, a.Status, a.Body, c.want)
		}
	}
	kept := s.Do(t, s.token, http.MethodGet, id.Child("scopeMaps", "reader").String(), "")
	if actions, _ := kept.At("properties.actions").([]any); len(actions) != 1 || actions[0] != "repositories/hello/content/read" {
		t.Errorf("actions %v", actions)
	}
	if a := s.Do(t, s.token, http.MethodGet, s.Scope("g", "registries", "nowhere", "scopeMaps", "_repositories_pull").String(), ""); a.Code() != "ParentResourceNotFound" {
		t.Errorf("a scope map of no registry: %d %v", a.Status, a.Body)
	}
}

func TestTokensRefuse(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.registry(t, "fabrikam")
	id := s.Scope("g", "registries", "contoso")
	foreign := s.Scope("g", "registries", "fabrikam", "scopeMaps", "_repositories_pull").String()
	with := func(scopeMap string) string { return `{"properties":{"scopeMapId":"` + scopeMap + `"}}` }
	for _, c := range []struct{ method, path, body, want string }{
		{http.MethodPut, "/tokens/abcd", `{}`, "InvalidResourceName"},
		{http.MethodPut, "/tokens/robot", with("_repositories_pull"), "InvalidScopeMapId"},
		{http.MethodPut, "/tokens/robot", with(foreign), "InvalidScopeMapId"},
		{http.MethodPut, "/tokens/robot", with(id.Child("tokens", "robot").String()), "InvalidScopeMapId"},
		{http.MethodPut, "/tokens/robot", with(id.Child("scopeMaps", "missing").String()), "ScopeMapNotFound"},
		{http.MethodPut, "/tokens/robot", `{"properties":{"status":"asleep"}}`, "InvalidRequestContent"},
		{http.MethodPut, "/tokens/robot", `{"properties":{"credentials":{"certificates":[{"name":"certificate1"}]}}}`, "CertificatesNotSupported"},
		{http.MethodPost, "/generateCredentials", `{"tokenId":"` + id.Child("tokens", "robot").String() + `"}`, "ResourceNotFound"},
		{http.MethodPut, "/tokens/robot", with(strings.ToLower(id.Child("scopeMaps", "_repositories_pull").String())), ""},
		{http.MethodPost, "/generateCredentials", `{}`, "InvalidRequestContent"},
		{http.MethodPost, "/generateCredentials", `{"tokenId":"robot"}`, "InvalidTokenId"},
		{http.MethodPost, "/generateCredentials", `{"tokenId":"` + s.Scope("g", "registries", "fabrikam", "tokens", "robot").String() + `"}`, "InvalidTokenId"},
		{http.MethodPost, "/generateCredentials", `{"tokenId":"` + id.Child("tokens", "robot").String() + `","name":"password3"}`, "InvalidRequestContent"},
		{http.MethodPost, "/generateCredentials", `{"tokenId":"` + id.Child("tokens", "robot").String() + `","expiry":"soon"}`, "InvalidExpiry"},
		{http.MethodPost, "/generateCredentials", `{"tokenId":"` + id.Child("tokens", "robot").String() + `","expiry":"2001-01-01T00:00:00Z"}`, "InvalidExpiry"},
		{http.MethodPost, "/generateCredentials", `{"tokenId":"` + id.Child("tokens", "robot").String() + `","name":"password1","expiry":"9999-12-31T23:59:59.999999Z"}`, ""},
	} {
		if a := s.Do(t, s.token, c.method, id.String()+c.path, c.body); a.Code() != c.want {
			t.Errorf("%s %s %s: %d %v, want %q", c.method, c.path, c.body, a.Status, a.Body, c.want)
		}
	}
	got := s.Do(t, s.token, http.MethodGet, id.String()+"/tokens/robot", "")
	if got.At("properties.scopeMapId") != id.Child("scopeMaps", "_repositories_pull").String() {
		t.Errorf("scope map %v", got.At("properties.scopeMapId"))
	}
	passwords, _ := got.At("properties.credentials.passwords").([]any)
	if len(passwords) != 1 {
		t.Fatalf("passwords %v", passwords)
	}
	if p, _ := passwords[0].(map[string]any); p["expiry"] != nil || p["value"] != nil {
		t.Errorf("password %v", p)
	}
}
