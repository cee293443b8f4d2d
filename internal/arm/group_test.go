package arm_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// quick polls without the SDK's half a minute.
var quick = &runtime.PollUntilDoneOptions{}

func wantCode(t *testing.T, what string, err error, status int, code string) {
	t.Helper()
	var e *azcore.ResponseError
	if !errors.As(err, &e) || e.StatusCode != status || e.ErrorCode != code {
		t.Errorf("%s: want %d %s: %v", what, status, code, err)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	ctx := t.Context()
	if exists, err := s.groups.CheckExistence(ctx, "G-one", nil); err != nil || exists.Success {
		t.Errorf("exists %v: %v", exists.Success, err)
	}
	_, err := s.groups.Get(ctx, "G-one", nil)
	wantCode(t, "a group that is not there", err, 404, "ResourceGroupNotFound")
	created, err := s.groups.CreateOrUpdate(ctx, "G-one", armresources.ResourceGroup{
		Location: to.Ptr("West Europe"), Tags: map[string]*string{"team": to.Ptr("a")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := armresources.ResourceGroup{
		ID: to.Ptr("/subscriptions/" + s.Subscription + "/resourceGroups/G-one"), Name: to.Ptr("G-one"),
		Type: to.Ptr("Microsoft.Resources/resourceGroups"), Location: to.Ptr("West Europe"),
		Tags: map[string]*string{"team": to.Ptr("a")}, Properties: &armresources.ResourceGroupProperties{ProvisioningState: to.Ptr("Succeeded")},
	}
	if d := cmp.Diff(want, created.ResourceGroup); d != "" {
		t.Errorf("created (-want +got):\n%s", d)
	}
	// Ids are compared without regard to case and shown as first written.
	shown, err := s.groups.Get(ctx, "g-ONE", nil)
	if err != nil || *shown.Name != "G-one" {
		t.Errorf("%v: %v", shown.Name, err)
	}
	if exists, err := s.groups.CheckExistence(ctx, "g-one", nil); err != nil || !exists.Success {
		t.Errorf("exists %v: %v", exists.Success, err)
	}
	updated, err := s.groups.Update(ctx, "g-one", armresources.ResourceGroupPatchable{Tags: map[string]*string{"owner": to.Ptr("b")}}, nil)
	if err != nil || len(updated.Tags) != 1 || *updated.Tags["owner"] != "b" {
		t.Errorf("%v: %v", updated.Tags, err)
	}
	_, err = s.groups.CreateOrUpdate(ctx, "g-one", armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil)
	wantCode(t, "another location", err, 409, "InvalidResourceGroupLocation")
	page, err := s.groups.NewListPager(nil).NextPage(ctx)
	if err != nil || len(page.Value) != 1 {
		t.Errorf("%v: %v", page.Value, err)
	}
	_, err = s.groups.BeginDelete(ctx, "other", nil)
	wantCode(t, "deleting a group that is not there", err, 404, "ResourceGroupNotFound")
}

func TestGroupNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, code := range map[string]string{
		"ends.":                 "InvalidResourceGroup",
		strings.Repeat("g", 91): "InvalidResourceGroup",
		"a%2Fb":                 "InvalidResourceName",
		"..":                    "InvalidResourceName",
		"a%00b":                 "InvalidResourceName",
		"a%0Ab":                 "InvalidResourceName",
		"caf%C3%A9":             "InvalidResourceName",
		"(ok)_.-1":              "",
	} {
		a := s.Do(t, s.token, http.MethodPut, "/subscriptions/"+s.Subscription+"/resourcegroups/"+name, `{"location":"x"}`)
		if a.Code() != code || code != "" && a.Status != 400 {
			t.Errorf("%s: %d %v", name, a.Status, a.Body)
		}
	}
}

func TestDeletingAGroupDeletesAllInIt(t *testing.T) {
	t.Parallel()
	s := start(t)
	ctx := t.Context()
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso")
	s.put(t, registry.Child("tasks", "nightly"), `{"identity":{"type":"SystemAssigned"},"properties":{"platform":{"os":"Linux"},"step":{"type":"EncodedTask","encodedTaskContent":"eA=="}}}`)
	s.put(t, registry.Child("agentPools", "big"), `{"properties":{"count":3}}`)
	s.Principal(t, auth.ReaderRole, registry)
	poller, err := s.groups.BeginDelete(ctx, "g", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(ctx, quick); err != nil {
		t.Fatal(err)
	}
	names := s.Deleted.Names()
	if len(names) != 4 || names[2] != "contoso" || names[3] != "g" {
		t.Errorf("deleted in the order %v", names)
	}
	if s.Queue.Slots("big") != 0 {
		t.Error("the pool still has slots")
	}
	_, err = s.groups.Get(ctx, "g", nil)
	wantCode(t, "the group", err, 404, "ResourceGroupNotFound")
	left, err := s.Store.Principals(ctx, registry)
	if err != nil || len(left) > 0 {
		t.Errorf("identities left: %v: %v", left, err)
	}
	assignments, err := s.Store.RoleAssignments(ctx, drydock.RoleFilter{Below: registry})
	if err != nil || len(assignments) > 0 {
		t.Errorf("assignments left: %v: %v", assignments, err)
	}
	s.registry(t, "contoso") // the name is free again
}

// What is created while what it is in is deleted is not there: nobody would end
// what it stands for.
func TestCreatedInADyingGroup(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		"/providers/Microsoft.ContainerRegistry/registries/contoso": `{"location":"westeurope","sku":{"name":"Basic"}}`,
		"/providers/Microsoft.KeyVault/vaults/a-vault":              `{"location":"westeurope","properties":{"sku":{"name":"standard","family":"A"},"accessPolicies":[]}}`,
	} {
		s := start(t)
		s.group(t)
		group := s.Scope("g").String()
		s.Deleted.Hold = make(chan struct{})
		s.Naming = func() {
			s.Naming = nil
			if a := s.Do(t, s.token, http.MethodDelete, group, ""); a.Status != http.StatusAccepted {
				t.Errorf("deleting the resource group: %d %v", a.Status, a.Body)
			}
		}
		if a := s.Do(t, s.token, http.MethodPut, group+path, body); a.Status != http.StatusConflict || a.Code() != "ResourceGroupBeingDeleted" {
			t.Errorf("%s: %d %v", path, a.Status, a.Body)
		}
		close(s.Deleted.Hold)
	}
}

// put creates something and returns it.
func (s *sdk) put(t *testing.T, id drydock.ResourceID, body string) map[string]any {
	t.Helper()
	a := s.Do(t, s.token, http.MethodPut, id.String(), body)
	if a.Status != 200 && a.Status != 201 {
		t.Fatalf("creating %s: %d %v", id, a.Status, a.Body)
	}
	return a.Body
}

// A deletion that is refused or cut off leaves a group that takes no changes,
// and that the next start deletes.
func TestDeletionIsTakenUpAfterARestart(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	group, registry := s.Scope("g"), s.Scope("g", "registries", "contoso")
	s.Deleted.Refuse(drydock.Errorf(drydock.Unavailable, "the disk is away"))
	a := s.Do(t, s.token, http.MethodDelete, group.String(), "")
	location := a.Header.Get("Location")
	if a.Status != http.StatusAccepted || a.Header.Get("Retry-After") != "1" || !strings.HasPrefix(location, s.URL) {
		t.Fatalf("%d %v", a.Status, a.Header)
	}
	poll := func() int { return s.Do(t, s.token, http.MethodGet, strings.TrimPrefix(location, s.URL), "").Status }
	status := poll()
	for status == http.StatusAccepted {
		status = poll()
	}
	if status != http.StatusBadRequest {
		t.Errorf("the operation ended with %d", status)
	}
	if state := s.Do(t, s.token, http.MethodGet, group.String(), "").At("properties.provisioningState"); state != "Deleting" {
		t.Errorf("the group is %v", state)
	}
	for _, test := range []struct {
		method, path, body, code string
	}{
		{http.MethodPut, group.String(), `{"location":"westeurope"}`, "ResourceGroupBeingDeleted"},
		{http.MethodPut, registry.String(), `{"location":"westeurope"}`, "ResourceGroupBeingDeleted"},
		{http.MethodPost, registry.String() + "/scheduleRun", `{"type":"EncodedTaskRunRequest","platform":{"os":"Linux"},"encodedTaskContent":"eA=="}`, "ResourceGroupBeingDeleted"},
		{http.MethodPut, registry.Child("tasks", "later").String(), `{"properties":{"step":{"type":"EncodedTask","encodedTaskContent":"eA=="}}}`, "ResourceGroupBeingDeleted"},
	} {
		if a := s.Do(t, s.token, test.method, test.path, test.body); a.Status != 409 || a.Code() != test.code {
			t.Errorf("%s %s: %d %v", test.method, test.path, a.Status, a.Body)
		}
	}
	s.Restart(t)
	if status := poll(); status != http.StatusAccepted {
		t.Errorf("after the restart the operation answers %d", status)
	}
	s.Deleted.Refuse(nil)
	if err := s.Server.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := poll(); status != http.StatusOK {
		t.Errorf("after the deletion the operation answers %d", status)
	}
	if names := s.Deleted.Names(); !slices.Equal(names, []string{"contoso", "g"}) {
		t.Errorf("deleted %v", names)
	}
	other := s.Token(t, s.Principal(t, auth.OwnerRole, s.Scope("")))
	if a := s.Do(t, other, http.MethodGet, strings.TrimPrefix(location, s.URL), ""); a.Status != 404 {
		t.Errorf("somebody else's operation: %d", a.Status)
	}
}
