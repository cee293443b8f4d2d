package arm_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// userIdentity makes a user-assigned identity in the group "g".
func (s *sdk) userIdentity(t *testing.T, name string) drydock.ResourceID {
	t.Helper()
	id := s.Scope("g", "userAssignedIdentities", name)
	id.Namespace = "Microsoft.ManagedIdentity"
	a := s.Do(t, s.token, http.MethodPut, id.String(), `{"location":"westeurope","tags":{"team":"a"}}`)
	if a.Status != http.StatusCreated || a.At("properties.tenantId") != s.Tenant || a.At("tags.team") != "a" {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	return id
}

const plainStep = `"properties":{"platform":{"os":"Linux"},"step":{"type":"EncodedTask","encodedTaskContent":"eA=="}}`

func TestUserAssignedIdentities(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	id := s.userIdentity(t, "puller")
	a := s.Do(t, s.token, http.MethodGet, id.String(), "")
	principal, client := a.At("properties.principalId"), a.At("properties.clientId")
	again := s.Do(t, s.token, http.MethodPut, id.String(), `{"location":"westeurope"}`)
	if again.Status != http.StatusOK || again.At("properties.principalId") != principal || principal == nil || client == nil {
		t.Errorf("%v, and then %d %v", a.Body, again.Status, again.Body)
	}
	task := s.Scope("g", "registries", "contoso", "tasks", "t").String()
	put := func(token, identity string) (int, string) {
		t.Helper()
		a := s.Do(t, token, http.MethodPut, task, `{"location":"westeurope","identity":`+identity+`,`+plainStep+`}`)
		return a.Status, a.Code() + " " + a.Message()
	}
	given := `{"type":"UserAssigned","userAssignedIdentities":{"` + strings.ToUpper(id.String()) + `":{}}}`
	// Who may write tasks may not give them identities of others.
	writer := s.Token(t, s.Principal(t, auth.ContributorRole, s.Scope("g", "registries", "contoso")))
	if status, said := put(writer, given); status != http.StatusForbidden || !strings.Contains(said, "LinkedAuthorizationFailed") || !strings.Contains(said, "userAssignedIdentities/assign/action") {
		t.Errorf("%d %s", status, said)
	}
	for _, bad := range []string{
		`{"type":"UserAssigned"}`, `{"type":"UserAssigned","userAssignedIdentities":{}}`,
		`{"type":"UserAssigned","userAssignedIdentities":{"` + task + `":{}}}`, `{"type":"UserAssigned","userAssignedIdentities":{"` + id.String() + `s":{}}}`,
	} {
		if status, said := put(s.token, bad); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, status, said)
		}
	}
	if status, said := put(s.token, given); status != http.StatusOK {
		t.Fatalf("%d %s", status, said)
	}
	shown := s.Do(t, s.token, http.MethodGet, task, "")
	users, _ := shown.At("identity.userAssignedIdentities").(map[string]any)
	if one, _ := users[id.String()].(map[string]any); one["principalId"] != principal || one["clientId"] != client || len(users) != 1 {
		t.Errorf("the task shows %v", shown.At("identity"))
	}
	// What it has, it keeps when others change it.
	if a := s.Do(t, writer, http.MethodPatch, task, `{"properties":{"timeout":600}}`); a.Status != http.StatusOK {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.token, http.MethodDelete, id.String(), ""); a.Status != http.StatusOK {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if _, err := s.Store.Principal(t.Context(), principal.(string)); drydock.CodeOf(err) != drydock.NotFound {
		t.Errorf("the principal of the identity is still there: %v", err)
	}
	all, err := s.Server.Identities(t.Context(), s.Scope("g", "registries", "contoso", "tasks", "t"))
	if err != nil || !all.Empty() || len(all.Missing) != 1 {
		t.Errorf("%+v: %v", all, err)
	}
}

// A patch that removes identities leaves the others, whatever type clients say.
func TestIdentitiesAreRemovedOneByOne(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	one, two := s.userIdentity(t, "one").String(), s.userIdentity(t, "two").String()
	task := s.Scope("g", "registries", "contoso", "tasks", "t").String()
	body := `{"location":"westeurope","identity":{"type":"SystemAssigned, UserAssigned","userAssignedIdentities":{"` + one + `":{},"` + two + `":{}}},` + plainStep + `}`
	if a := s.Do(t, s.token, http.MethodPut, task, body); a.Status != http.StatusOK {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	for _, step := range []struct {
		patch, kind string
		users       int
	}{
		{`{"type":"UserAssigned","userAssignedIdentities":{"` + strings.ToLower(one) + `":null}}`, "SystemAssigned, UserAssigned", 1},
		{`{"type":"UserAssigned","userAssignedIdentities":{"` + two + `":{}}}`, "UserAssigned", 1},
		{`{"type":"UserAssigned","userAssignedIdentities":{"` + two + `":null}}`, "", 0},
		{`{"type":"SystemAssigned"}`, "SystemAssigned", 0},
	} {
		a := s.Do(t, s.token, http.MethodPatch, task, `{"identity":`+step.patch+`}`)
		kind, _ := a.At("identity.type").(string)
		users, _ := a.At("identity.userAssignedIdentities").(map[string]any)
		if a.Status != http.StatusOK || kind != step.kind || len(users) != step.users {
			t.Errorf("after %s: %d %v", step.patch, a.Status, a.At("identity"))
		}
	}
}

// Runs know as whom they use their registry, and whose identities they have.
func TestAsWhomRunsUseTheirRegistry(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso")
	requestOf := func(run string) drydock.RunRequest {
		t.Helper()
		record, err := s.Store.Run(t.Context(), registry, run)
		if err != nil {
			t.Fatal(err)
		}
		var r drydock.RunRequest
		if err := json.Unmarshal(record.Request, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	schedule := func(credentials string) drydock.RunRequest {
		t.Helper()
		a := s.Do(t, s.token, http.MethodPost, registry.String()+"/scheduleRun",
			`{"type":"EncodedTaskRunRequest","encodedTaskContent":"eA==","platform":{"os":"Linux"},"credentials":`+credentials+`}`)
		if a.Status != http.StatusOK {
			t.Fatalf("%d %v", a.Status, a.Body)
		}
		return requestOf(a.At("properties.runId").(string))
	}
	admin, err := s.Store.PrincipalByAppID(t.Context(), s.Admin.AppID)
	if err != nil {
		t.Fatal(err)
	}
	if r := schedule(`{"sourceRegistry":{"identity":"[caller]"}}`); !r.RegistryLogin || r.RegistryIdentity != "[caller]" || r.Caller != admin.ID {
		t.Errorf("by the caller: %+v", r)
	}
	if r := schedule(`{"sourceRegistry":{"loginMode":"None","identity":"[caller]"}}`); r.RegistryLogin || r.RegistryIdentity != "" || r.Caller != "" {
		t.Errorf("without a login: %+v", r)
	}
	if r := schedule(`{}`); !r.RegistryLogin || r.RegistryIdentity != "" || r.Caller != "" {
		t.Errorf("as itself: %+v", r)
	}
	// A task run has identities of its own, from its first moment.
	id := registry.Child("taskRuns", "once")
	a := s.Do(t, s.token, http.MethodPut, id.String(), `{"location":"westeurope","identity":{"type":"SystemAssigned"},
		"properties":{"runRequest":{"type":"EncodedTaskRunRequest","encodedTaskContent":"eA==","platform":{"os":"Linux"}}}}`)
	if a.Status >= 300 {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	if r := requestOf(a.At("properties.runResult.properties.runId").(string)); r.Identity.Key() != id.Key() {
		t.Errorf("the run has the identities of %s", r.Identity)
	}
	all, err := s.Server.Identities(t.Context(), id)
	if err != nil || all.System == nil || all.System.ID != a.At("identity.principalId") {
		t.Errorf("%+v: %v", all, err)
	}
}
