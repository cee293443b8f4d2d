package compat_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/google/uuid"

	"github.com/drydockhq/drydock/test/serve"
)

// secrets is Microsoft's client for the secrets of a vault. It checks itself that
// the vault asks for a token of its own domain.
func (a *sdk) secrets(t *testing.T, vault string, as azcore.TokenCredential) *azsecrets.Client {
	t.Helper()
	o := a.Server.ClientOptions()
	o.Transport = a.site.recorder
	return must(azsecrets.NewClient("https://"+a.Server.Host(strings.ToLower(vault)+".vault"), as, &azsecrets.ClientOptions{ClientOptions: o}))(t)
}

func statusOf(err error) int {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

func setSecret(t *testing.T, c *azsecrets.Client, name, value string) azsecrets.SetSecretResponse {
	t.Helper()
	return must(c.SetSecret(t.Context(), name, azsecrets.SetSecretParameters{Value: &value}, nil))(t)
}

func secrets(t *testing.T, a *sdk) {
	a.createVault(t, "box-of-secrets")
	c := a.secrets(t, "box-of-secrets", a.Server.Admin())
	secretVersions(t, c)
	secretAttributes(t, c)
	secretPages(t, c)
	secretRecovery(t, c)
	secretBackup(t, a, c)
	secretLimits(t, c)
}

func secretVersions(t *testing.T, c *azsecrets.Client) {
	t.Helper()
	ctx := t.Context()
	first := setSecret(t, c, "Token", "one")
	second := setSecret(t, c, "token", "two")
	if got := must(c.GetSecret(ctx, "TOKEN", "", nil))(t); *got.Value != "two" || got.ID.Name() != "Token" || got.ID.Version() != second.ID.Version() || !*got.Attributes.Enabled {
		t.Errorf("the newest is %s: %+v", *got.ID, got)
	}
	if got := must(c.GetSecret(ctx, "token", first.ID.Version(), nil))(t); *got.Value != "one" {
		t.Error("the first version is ", *got.Value)
	}
	// What is changed of one version is that one's.
	must(c.UpdateSecretProperties(ctx, "token", first.ID.Version(), azsecrets.UpdateSecretPropertiesParameters{ContentType: to.Ptr("text/old")}, nil))(t)
	if got := must(c.GetSecret(ctx, "token", first.ID.Version(), nil))(t); got.ContentType == nil || *got.ContentType != "text/old" {
		t.Errorf("the first version after its change: %+v", got)
	}
	if got := must(c.GetSecret(ctx, "token", "", nil))(t); got.ContentType != nil {
		t.Error("the second version was changed to ", *got.ContentType)
	}
	if _, err := c.GetSecret(ctx, "token", strings.Repeat("0", 32), nil); statusOf(err) != http.StatusNotFound {
		t.Error("a version that there is not: ", err)
	}
	versions := all(t, c.NewListSecretPropertiesVersionsPager("token", nil), func(p azsecrets.ListSecretPropertiesVersionsResponse) []*azsecrets.SecretProperties { return p.Value })
	if len(versions) != 2 || versions[0].ID.Version() != second.ID.Version() {
		t.Errorf("%d versions", len(versions))
	}
}

func secretAttributes(t *testing.T, c *azsecrets.Client) {
	t.Helper()
	ctx := t.Context()
	past, future := time.Unix(1_600_000_000, 0).UTC(), time.Unix(4_000_000_000, 0).UTC()
	made := must(c.SetSecret(ctx, "described", azsecrets.SetSecretParameters{
		Value: to.Ptr("v"), ContentType: to.Ptr("text/plain"), Tags: map[string]*string{"a": to.Ptr("b")},
		SecretAttributes: &azsecrets.SecretAttributes{NotBefore: &past, Expires: &future},
	}, nil))(t)
	if !made.Attributes.NotBefore.Equal(past) || !made.Attributes.Expires.Equal(future) || *made.ContentType != "text/plain" || *made.Tags["a"] != "b" || made.Attributes.Created == nil {
		t.Errorf("%+v", made)
	}
	// What has expired or is not valid yet can be read, as of Azure's vaults; what is
	// disabled can't.
	set := func(attributes azsecrets.SecretAttributes) {
		t.Helper()
		must(c.UpdateSecretProperties(ctx, "described", "", azsecrets.UpdateSecretPropertiesParameters{SecretAttributes: &attributes}, nil))(t)
	}
	set(azsecrets.SecretAttributes{Expires: to.Ptr(past.Add(time.Hour))})
	if got := must(c.GetSecret(ctx, "described", "", nil))(t); *got.Value != "v" || *got.ContentType != "text/plain" || !got.Attributes.NotBefore.Equal(past) {
		t.Errorf("after an update %+v", got)
	}
	set(azsecrets.SecretAttributes{Enabled: to.Ptr(false)})
	if _, err := c.GetSecret(ctx, "described", "", nil); statusOf(err) != http.StatusForbidden || !strings.Contains(err.Error(), "SecretDisabled") {
		t.Error("a disabled secret: ", err)
	}
	set(azsecrets.SecretAttributes{Enabled: to.Ptr(true)})
	must(c.GetSecret(ctx, "described", made.ID.Version(), nil))(t)
	if _, err := c.UpdateSecretProperties(ctx, "described", "", azsecrets.UpdateSecretPropertiesParameters{SecretAttributes: &azsecrets.SecretAttributes{NotBefore: &future, Expires: &past}}, nil); statusOf(err) != http.StatusBadRequest {
		t.Error("an expiry before the beginning: ", err)
	}
}

func secretPages(t *testing.T, c *azsecrets.Client) {
	t.Helper()
	for i := range 57 {
		setSecret(t, c, fmt.Sprintf("page-%02d", i), "v")
	}
	for range 30 {
		setSecret(t, c, "page-00", "v")
	}
	pages, names := 0, []string{}
	for pager := c.NewListSecretPropertiesPager(nil); pager.More(); pages++ {
		for _, s := range must(pager.NextPage(t.Context()))(t).Value {
			if strings.HasPrefix(s.ID.Name(), "page-") {
				names = append(names, s.ID.Name())
			}
			if s.ID.Version() != "" {
				t.Error("the id in a list is of a version: ", *s.ID)
			}
		}
	}
	if len(names) != 57 || !slices.IsSorted(names) || pages != 3 {
		t.Errorf("%d names on %d pages", len(names), pages)
	}
	versions := map[string]bool{}
	for _, v := range all(t, c.NewListSecretPropertiesVersionsPager("page-00", nil), func(p azsecrets.ListSecretPropertiesVersionsResponse) []*azsecrets.SecretProperties { return p.Value }) {
		versions[v.ID.Version()] = true
	}
	if len(versions) != 31 {
		t.Errorf("%d versions instead of 31", len(versions))
	}
}

func secretRecovery(t *testing.T, c *azsecrets.Client) {
	t.Helper()
	ctx := t.Context()
	setSecret(t, c, "lost", "one")
	setSecret(t, c, "lost", "two")
	gone := must(c.DeleteSecret(ctx, "lost", nil))(t)
	if gone.RecoveryID == nil || gone.ScheduledPurgeDate == nil || !gone.ScheduledPurgeDate.After(*gone.DeletedDate) || gone.Value != nil {
		t.Errorf("%+v", gone)
	}
	if _, err := c.GetSecret(ctx, "lost", "", nil); statusOf(err) != http.StatusNotFound {
		t.Error("a deleted secret: ", err)
	}
	if _, err := c.SetSecret(ctx, "LOST", azsecrets.SetSecretParameters{Value: to.Ptr("three")}, nil); statusOf(err) != http.StatusConflict || !strings.Contains(err.Error(), "ObjectIsDeletedButRecoverable") {
		t.Error("the name of a deleted secret: ", err)
	}
	if _, err := c.DeleteSecret(ctx, "lost", nil); statusOf(err) != http.StatusNotFound {
		t.Error("deleting twice: ", err)
	}
	if got := must(c.GetDeletedSecret(ctx, "lost", nil))(t); got.ID.Name() != "lost" || got.Value != nil {
		t.Errorf("%+v", got)
	}
	isIt := func(s *azsecrets.DeletedSecretProperties) bool { return s.ID.Name() == "lost" }
	listed := func() []*azsecrets.DeletedSecretProperties {
		return all(t, c.NewListDeletedSecretPropertiesPager(nil), func(p azsecrets.ListDeletedSecretPropertiesResponse) []*azsecrets.DeletedSecretProperties {
			return p.Value
		})
	}
	if !has(listed(), isIt) {
		t.Error("it is not in the list of deleted ones")
	}
	must(c.RecoverDeletedSecret(ctx, "lost", nil))(t)
	if got := must(c.GetSecret(ctx, "lost", "", nil))(t); *got.Value != "two" || has(listed(), isIt) {
		t.Error("recovered as ", *got.Value)
	}
	must(c.DeleteSecret(ctx, "lost", nil))(t)
	must(c.PurgeDeletedSecret(ctx, "lost", nil))(t)
	if _, err := c.RecoverDeletedSecret(ctx, "lost", nil); statusOf(err) != http.StatusNotFound {
		t.Error("recovering what was purged: ", err)
	}
	setSecret(t, c, "lost", "anew")
}

func secretBackup(t *testing.T, a *sdk, c *azsecrets.Client) {
	t.Helper()
	ctx := t.Context()
	first := setSecret(t, c, "saved", "one")
	setSecret(t, c, "saved", "hush two")
	saved := must(c.BackupSecret(ctx, "saved", nil))(t)
	if strings.Contains(string(saved.Value), "hush") {
		t.Error("a backup can be read")
	}
	if _, err := c.RestoreSecret(ctx, azsecrets.RestoreSecretParameters{SecretBackup: saved.Value}, nil); statusOf(err) != http.StatusConflict {
		t.Error("restoring what is there: ", err)
	}
	broken := slices.Clone(saved.Value)
	broken[len(broken)/2] ^= 1
	if _, err := c.RestoreSecret(ctx, azsecrets.RestoreSecretParameters{SecretBackup: broken}, nil); statusOf(err) != http.StatusBadRequest {
		t.Error("restoring what was changed: ", err)
	}
	a.createVault(t, "other-box")
	other := a.secrets(t, "other-box", a.Server.Admin())
	must(other.RestoreSecret(ctx, azsecrets.RestoreSecretParameters{SecretBackup: saved.Value}, nil))(t)
	if got := must(other.GetSecret(ctx, "saved", "", nil))(t); *got.Value != "hush two" {
		t.Error("restored as ", *got.Value)
	}
	if got := must(other.GetSecret(ctx, "saved", first.ID.Version(), nil))(t); *got.Value != "one" {
		t.Error("the first version is restored as ", *got.Value)
	}
}

func secretLimits(t *testing.T, c *azsecrets.Client) {
	t.Helper()
	setSecret(t, c, "long", strings.Repeat("x", 25<<10))
	setSecret(t, c, "empty", "")
	for name, value := range map[string]string{"longer": strings.Repeat("x", 25<<10+1), "a_b": "v", strings.Repeat("n", 128): "v"} {
		if _, err := c.SetSecret(t.Context(), name, azsecrets.SetSecretParameters{Value: &value}, nil); statusOf(err) != http.StatusBadRequest {
			t.Errorf("%.20s: %v", name, err)
		}
	}
	if _, err := c.SetSecret(t.Context(), "none", azsecrets.SetSecretParameters{}, nil); statusOf(err) != http.StatusBadRequest {
		t.Error("no value: ", err)
	}
}

// secretRights are who may do what, by policies and by roles, at this moment.
func secretRights(t *testing.T, a *sdk) {
	const name = "box-of-rights"
	a.createVault(t, name)
	setSecret(t, a.secrets(t, name, a.Server.Admin()), "token", "v")
	one, another := a.someone(t), a.someone(t)
	c, others := a.secrets(t, name, one.credential), a.secrets(t, name, another.credential)
	ctx, vaultsClient := t.Context(), a.vaultClient(t)
	get := func(c *azsecrets.Client) int { _, err := c.GetSecret(ctx, "token", "", nil); return statusOf(err) }
	want := func(when string, first, second int) {
		t.Helper()
		if a, b := get(c), get(others); a != first || b != second {
			t.Errorf("%s: %d and %d, want %d and %d", when, a, b, first, second)
		}
	}
	want("at first", 403, 403)
	must(vaultsClient.UpdateAccessPolicy(ctx, serve.Group, name, armkeyvault.AccessPolicyUpdateKindAdd, policyOf(a.Server.Tenant, one.object, "get"), nil))(t)
	want("with a policy", 0, 403)
	if _, err := c.SetSecret(ctx, "token", azsecrets.SetSecretParameters{Value: to.Ptr("w")}, nil); statusOf(err) != http.StatusForbidden || !strings.Contains(err.Error(), "secrets set permission") {
		t.Error("setting with get: ", err)
	}
	must(vaultsClient.UpdateAccessPolicy(ctx, serve.Group, name, armkeyvault.AccessPolicyUpdateKindRemove, policyOf(a.Server.Tenant, one.object), nil))(t)
	want("after the policy", 403, 403)
	scope := a.vaultScope(name) + "/secrets/token"
	definition := roleNamed(t, a, scope, "key vault secrets user")
	id := uuid.NewString()
	must(a.authorization.NewRoleAssignmentsClient().Create(ctx, scope, id, armauthorization.RoleAssignmentCreateParameters{
		Properties: &armauthorization.RoleAssignmentProperties{PrincipalID: &another.object, RoleDefinitionID: definition.ID, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal)},
	}, nil))(t)
	want("with a role", 403, 0)
	must(a.authorization.NewRoleAssignmentsClient().Delete(ctx, scope, id, nil))(t)
	want("after the role", 403, 403)
	// A token for another service is none for a vault, nor is none.
	r := must(http.NewRequestWithContext(ctx, http.MethodGet, "https://"+a.Server.Host(name+".vault")+"/secrets/token?api-version=7.4", nil))(t)
	answer := must(a.Server.HTTP().Do(r))(t)
	answer.Body.Close()
	suffix := strings.TrimPrefix(r.URL.Host, name+".")
	if challenge := answer.Header.Get("WWW-Authenticate"); answer.StatusCode != http.StatusUnauthorized || challenge != `Bearer authorization="https://`+a.Server.Host("login")+"/"+a.Server.Tenant+`", resource="https://`+suffix+`"` {
		t.Errorf("%d, %s", answer.StatusCode, challenge)
	}
}
