package arm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

func (s *sdk) assign(t *testing.T, token string, scope drydock.ResourceID, role, principal string) (string, int, string) {
	t.Helper()
	path := scope.String() + "/providers/Microsoft.Authorization/roleAssignments/" + uuid.NewString()
	a := s.Do(t, token, http.MethodPut, path, `{"properties":{"roleDefinitionId":"/subscriptions/`+s.Subscription+
		`/providers/Microsoft.Authorization/roleDefinitions/`+role+`","principalId":"`+principal+`","principalType":"ServicePrincipal"}}`)
	return path, a.Status, a.Code()
}

// A principal with just the rights for it builds; a Reader does not.
func TestRolesThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.registry(t, "fabrikam")
	registry, other := s.Scope("g", "registries", "contoso"), s.Scope("g", "registries", "fabrikam")
	principal, credentials, err := s.Directory.Create(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	ci := s.Token(t, *credentials)
	build := func(id drydock.ResourceID) int {
		t.Helper()
		return s.Do(t, ci, http.MethodPost, id.String()+"/scheduleRun", `{"type":"EncodedTaskRunRequest","platform":{"os":"Linux"},"encodedTaskContent":"eA=="}`).Status
	}
	if status := build(registry); status != 403 {
		t.Errorf("without a role: %d", status)
	}
	reader, status, code := s.assign(t, s.token, registry, auth.ReaderRole, principal.ID)
	if status != http.StatusCreated {
		t.Fatalf("giving a role answers %d %s", status, code)
	}
	if status := build(registry); status != 403 {
		t.Errorf("as a reader: %d", status)
	}
	if a := s.Do(t, ci, http.MethodGet, registry.String()+"/runs", ""); a.Status != 200 {
		t.Errorf("a reader lists runs: %d", a.Status)
	}
	if a := s.Do(t, ci, http.MethodPost, registry.String()+"/runs/ca1/listLogSasUrl", ""); a.Status != 403 {
		t.Errorf("a reader asks for a log: %d", a.Status)
	}
	if _, status, code := s.assign(t, ci, registry, auth.OwnerRole, principal.ID); status != 403 {
		t.Errorf("a reader gives a role: %d %s", status, code)
	}
	contributor, status, _ := s.assign(t, s.token, registry, auth.ContributorRole, principal.ID)
	if status != 201 || build(registry) != 200 || build(other) != 403 {
		t.Errorf("as a contributor: %d", status)
	}
	if _, status, code := s.assign(t, ci, registry, auth.OwnerRole, principal.ID); status != 403 {
		t.Errorf("a contributor gives a role: %d %s", status, code)
	}
	if _, status, code := s.assign(t, s.token, registry, auth.ContributorRole, principal.ID); status != 409 || code != "RoleAssignmentExists" {
		t.Errorf("the same role again: %d %s", status, code)
	}
	list := func(filter string) int {
		a := s.Do(t, s.token, http.MethodGet, registry.String()+"/providers/Microsoft.Authorization/roleAssignments?$filter="+filter, "")
		values, _ := a.At("value").([]any)
		return len(values)
	}
	for filter, want := range map[string]int{
		"": 3, "atScope()": 3, "principalId%20eq%20'" + principal.ID + "'": 2,
		"atScope()%20and%20assignedTo('" + principal.ID + "')": 2, "principalId%20eq%20'x'": 0,
	} {
		if got := list(filter); got != want {
			t.Errorf("%q lists %d", filter, got)
		}
	}
	if a := s.Do(t, s.token, http.MethodGet, reader, ""); a.Status != 200 || a.At("properties.principalId") != principal.ID {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	for _, want := range []int{200, 204} {
		if a := s.Do(t, s.token, http.MethodDelete, contributor, ""); a.Status != want {
			t.Errorf("deleting it: %d %v", a.Status, a.Body)
		}
	}
	if status := build(registry); status != 403 {
		t.Errorf("after the role was taken away: %d", status)
	}
}

func TestRoleAssignmentsRefuse(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	admin, err := s.Store.PrincipalByAppID(t.Context(), s.Admin.AppID)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		scope           drydock.ResourceID
		role, principal string
		status          int
		code            string
	}{
		"an unknown role":      {s.Scope("g"), uuid.NewString(), admin.ID, 400, "RoleDefinitionDoesNotExist"},
		"an unknown principal": {s.Scope("g"), auth.ReaderRole, uuid.NewString(), 400, "PrincipalNotFound"},
		"no principal's id":    {s.Scope("g"), auth.ReaderRole, "me", 400, "InvalidRequestContent"},
		"an unknown group":     {s.Scope("h"), auth.ReaderRole, admin.ID, 404, "ResourceGroupNotFound"},
		"an unknown registry":  {s.Scope("g", "registries", "contoso"), auth.ReaderRole, admin.ID, 404, "ResourceNotFound"},
	} {
		if _, status, code := s.assign(t, s.token, test.scope, test.role, test.principal); status != test.status || code != test.code {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
	if a := s.Do(t, s.token, http.MethodPut, s.Scope("g").String()+"/providers/Microsoft.Authorization/roleAssignments/mine",
		`{"properties":{"roleDefinitionId":"`+auth.ReaderRole+`","principalId":"`+admin.ID+`"}}`); a.Status != 400 || a.Code() != "InvalidRoleAssignmentId" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}

// What an assignment can't mean here is refused, since to leave it out would
// give something else.
func TestRoleAssignmentsOfOtherKinds(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	app, err := s.Directory.Register(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	principal, _, err := s.Directory.Create(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	for code, more := range map[string]string{
		"UnmatchedPrincipalType":              `"principalType":"User","principalId":"` + principal.ID + `"`,
		"RoleAssignmentConditionNotSupported": `"condition":"true","conditionVersion":"2.0","principalId":"` + principal.ID + `"`,
		"PrincipalNotFound":                   `"principalId":"` + app.ID + `"`,
		"":                                    `"principalType":"serviceprincipal","condition":null,"principalId":"` + principal.ID + `"`,
	} {
		a := s.Do(t, s.token, http.MethodPut, s.Scope("g").String()+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString(),
			`{"properties":{"roleDefinitionId":"`+auth.ReaderRole+`",`+more+`}}`)
		if a.Code() != code || code == "" && a.Status != http.StatusCreated {
			t.Errorf("%s: %d %v", more, a.Status, a.Body)
		}
	}
}

func TestRoleDefinitions(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := "/subscriptions/" + s.Subscription + "/providers/Microsoft.Authorization/roleDefinitions"
	a := s.Do(t, s.token, http.MethodGet, path+"?$filter=roleName%20eq%20'owner'", "")
	values, _ := a.At("value").([]any)
	if len(values) != 1 || !strings.Contains(values[0].(map[string]any)["id"].(string), auth.OwnerRole) {
		t.Errorf("%v", a.Body)
	}
	if a := s.Do(t, s.token, http.MethodGet, path+"/"+auth.AcrPullRole, ""); a.At("properties.roleName") != "AcrPull" {
		t.Errorf("%v", a.Body)
	}
	if a := s.Do(t, s.token, http.MethodGet, path, ""); len(a.At("value").([]any)) != len(auth.Roles()) {
		t.Errorf("%v", a.Body)
	}
}

func TestProviders(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := "/subscriptions/" + s.Subscription + "/providers"
	a := s.Do(t, s.token, http.MethodGet, path+"/microsoft.containerregistry", "")
	if a.At("registrationState") != "Registered" || len(a.At("resourceTypes").([]any)) < 5 {
		t.Errorf("%v", a.Body)
	}
	if a := s.Do(t, s.token, http.MethodPost, path+"/Microsoft.ContainerRegistry/register", ""); a.Status != 200 {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	page, err := s.acr.NewOperationsClient().NewListPager(nil).NextPage(t.Context())
	if err != nil || len(page.Value) < 20 {
		t.Errorf("%d operations: %v", len(page.Value), err)
	}
}
