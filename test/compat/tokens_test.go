package compat_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// scopeMaps makes, changes, lists and deletes a scope map.
func scopeMaps(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewScopeMapsClient()
	made := poll(c.BeginCreate(ctx, serve.Group, a.registry, "readers", armcontainerregistry.ScopeMap{
		Properties: &armcontainerregistry.ScopeMapProperties{Actions: []*string{to.Ptr("repositories/app/content/read")}, Description: to.Ptr("to read")},
	}, nil))(t)
	if *made.Properties.Type != "UserDefined" || made.Properties.CreationDate.IsZero() || *made.Properties.Description != "to read" {
		t.Errorf("the scope map is %+v", made.Properties)
	}
	changed := poll(c.BeginUpdate(ctx, serve.Group, a.registry, "readers", armcontainerregistry.ScopeMapUpdateParameters{
		Properties: &armcontainerregistry.ScopeMapPropertiesUpdateParameters{Actions: []*string{to.Ptr("repositories/app/metadata/read")}},
	}, nil))(t)
	if len(changed.Properties.Actions) != 1 || *changed.Properties.Actions[0] != "repositories/app/metadata/read" || *changed.Properties.Description != "to read" {
		t.Errorf("the changed scope map is %+v", changed.Properties)
	}
	listed := all(t, c.NewListPager(serve.Group, a.registry, nil), func(p armcontainerregistry.ScopeMapsClientListResponse) []*armcontainerregistry.ScopeMap {
		return p.Value
	})
	for name, kind := range map[string]string{"readers": "UserDefined", "_repositories_pull": "SystemDefined", "_repositories_admin": "SystemDefined"} {
		if !has(listed, func(m *armcontainerregistry.ScopeMap) bool { return *m.Name == name && *m.Properties.Type == kind }) {
			t.Errorf("the scope map %s is in no list", name)
		}
	}
	if got := must(c.Get(ctx, serve.Group, a.registry, "_repositories_pull", nil))(t); *got.Properties.Actions[0] != "repositories/*/content/read" {
		t.Errorf("the scope map of the system is %+v", got.Properties)
	}
	poll(c.BeginDelete(ctx, serve.Group, a.registry, "readers", nil))(t)
	if _, err := c.Get(ctx, serve.Group, a.registry, "readers", nil); err == nil {
		t.Error("the scope map is still there")
	}
}

// token makes a token with a scope map, and its passwords.
func (a *sdk) token(t *testing.T, name, scopeMap string) (id string, passwords []*armcontainerregistry.TokenPassword) {
	t.Helper()
	made := poll(a.acr.NewTokensClient().BeginCreate(t.Context(), serve.Group, a.registry, name, armcontainerregistry.Token{
		Properties: &armcontainerregistry.TokenProperties{
			ScopeMapID: to.Ptr("/" + a.scope() + "/scopeMaps/" + scopeMap), Status: to.Ptr(armcontainerregistry.TokenStatusEnabled),
		},
	}, nil))(t)
	generated := poll(a.acr.NewRegistriesClient().BeginGenerateCredentials(t.Context(), serve.Group, a.registry, armcontainerregistry.GenerateCredentialsParameters{
		TokenID: made.ID, Expiry: to.Ptr(time.Now().Add(time.Hour)),
	}, nil))(t)
	if *generated.Username != name || len(generated.Passwords) != 2 {
		t.Fatalf("the credentials are %+v", generated)
	}
	return *made.ID, generated.Passwords
}

// tokens makes, changes, lists and deletes a token.
func tokens(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewTokensClient()
	_, passwords := a.token(t, "robot", "_repositories_pull")
	if p := passwords[0]; *p.Name != armcontainerregistry.TokenPasswordNamePassword1 || p.Expiry.Before(time.Now()) || p.CreationTime.IsZero() {
		t.Errorf("the password is %+v", p)
	}
	changed := poll(c.BeginUpdate(ctx, serve.Group, a.registry, "robot", armcontainerregistry.TokenUpdateParameters{
		Properties: &armcontainerregistry.TokenUpdateProperties{
			Status:      to.Ptr(armcontainerregistry.TokenStatusDisabled),
			Credentials: &armcontainerregistry.TokenCredentialsProperties{Passwords: []*armcontainerregistry.TokenPassword{{Name: passwords[1].Name}}},
		},
	}, nil))(t)
	if *changed.Properties.Status != armcontainerregistry.TokenStatusDisabled || len(changed.Properties.Credentials.Passwords) != 1 {
		t.Errorf("the changed token is %+v", changed.Properties)
	}
	if listed := all(t, c.NewListPager(serve.Group, a.registry, nil), func(p armcontainerregistry.TokensClientListResponse) []*armcontainerregistry.Token {
		return p.Value
	}); len(listed) != 1 || *listed[0].Name != "robot" {
		t.Errorf("the tokens are %+v", listed)
	}
	got := must(c.Get(ctx, serve.Group, a.registry, "robot", nil))(t)
	if !strings.HasSuffix(*got.Properties.ScopeMapID, "/scopeMaps/_repositories_pull") || got.Properties.Credentials.Passwords[0].Value != nil {
		t.Errorf("the token is %+v", got.Properties)
	}
	poll(c.BeginDelete(ctx, serve.Group, a.registry, "robot", nil))(t)
	if _, err := c.Get(ctx, serve.Group, a.registry, "robot", nil); err == nil {
		t.Error("the token is still there")
	}
}

// skopeoTokens pulls with a token's password, which is not enough to push or to
// list tags, and then with none.
func skopeoTokens(t *testing.T, a *sdk) {
	c := a.client(t)
	policy := write(t, c, "policy.json", `{"default":[{"type":"insecureAcceptAnything"}]}`, 0o644)
	fails := func(step string, args ...string) {
		t.Helper()
		if out, problems, status := c.Exec("skopeo", append([]string{"--policy", policy}, args...)...); status == 0 {
			t.Errorf("%s: %s%s", step, out, problems)
		}
	}
	run := func(args ...string) string {
		t.Helper()
		return c.MustExec("skopeo", append([]string{"--policy", policy}, args...)...)
	}
	image := "docker://" + a.login + "/app:v1"
	want := a.push(t, a.login+"/app:v1")
	_, passwords := a.token(t, "robot", "_repositories_pull")
	_, reading := a.token(t, "reader", "_repositories_pull_metadata_read")
	fails("a wrong password signs in", "login", "-u", "robot", "-p", *reading[0].Value, a.login)
	run("login", "-u", "robot", "-p", *passwords[1].Value, a.login)
	run("copy", image, "oci:layout:v1")
	fails("content/read pushes", "copy", "oci:layout:v1", "docker://"+a.login+"/app:v2")
	fails("content/read lists tags", "list-tags", "docker://"+a.login+"/app")
	run("login", "-u", "reader", "-p", *reading[0].Value, a.login)
	if out := run("list-tags", "docker://"+a.login+"/app"); !strings.Contains(out, `"v1"`) {
		t.Errorf("the tags are %s", out)
	}
	run("logout", a.login)
	fails("nobody pulls", "inspect", image)
	if status, answer := a.Put("/registries/"+a.registry, `{"location":"here","sku":{"name":"Premium"},"properties":{"anonymousPullEnabled":true}}`); status != http.StatusOK {
		t.Fatal(status, answer)
	}
	if out := run("inspect", image); !strings.Contains(out, want) || !strings.Contains(out, `"v1"`) {
		t.Errorf("what anybody sees is %s", out)
	}
	fails("anybody pushes", "copy", "oci:layout:v1", "docker://"+a.login+"/app:v2")
	fails("a wrong password where none is needed", "login", "-u", "robot", "-p", "wrong", a.login)
}
