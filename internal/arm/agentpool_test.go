package arm_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/internal/arm/armtest"
)

// The Azure CLI deletes a pool and then looks for it, to follow what becomes of
// it: it is there for that, and takes no runs.
func TestDeletedAgentPoolCanBeSeenForAWhile(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	pool := s.Scope("g", "registries", "contoso").Child("agentPools", "big")
	s.put(t, pool, `{"properties":{"count":3}}`)
	s.Deleted.Pools = make(chan struct{})
	request := secretBuild("/dev/null")
	request.AgentPoolName = to.Ptr("big")
	client := s.acr.NewAgentPoolsClient()
	poller, err := client.BeginDelete(t.Context(), "g", "contoso", "big", nil)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := client.Get(t.Context(), "g", "contoso", "big", nil)
	if err != nil || *seen.Properties.ProvisioningState != acr.ProvisioningStateDeleting {
		t.Errorf("the pool that is being deleted: %+v: %v", seen.Properties, err)
	}
	_, err = s.acr.NewRegistriesClient().BeginScheduleRun(t.Context(), "g", "contoso", request, nil)
	wantCode(t, "a run in it", err, 400, "AgentPoolNotFound")
	close(s.Deleted.Pools)
	if _, err := poller.PollUntilDone(t.Context(), quick); err != nil {
		t.Fatal(err)
	}
	if a := s.Do(t, s.token, http.MethodGet, pool.String(), ""); a.Code() != "ResourceNotFound" {
		t.Errorf("the pool afterwards: %d %v", a.Status, a.Body)
	}
	if s.Queue.Slots("big") != 0 {
		t.Error("the pool still has slots")
	}
}

// A deletion that was asked for twice does not take the pool that was made under
// the name in between.
func TestDeletionsOfAPoolLeaveTheNext(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso")
	pool := registry.Child("agentPools", "big")
	s.put(t, pool, `{"properties":{"count":3}}`)
	s.Deleted.Pools = make(chan struct{})
	a := s.Do(t, s.token, http.MethodDelete, pool.String(), "")
	if a.Status != http.StatusAccepted {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	if gone := s.Do(t, s.token, http.MethodDelete, registry.String(), ""); gone.Status != http.StatusOK {
		t.Fatalf("%d %v", gone.Status, gone.Body)
	}
	s.registry(t, "contoso")
	s.put(t, pool, `{"properties":{"count":2}}`)
	close(s.Deleted.Pools)
	s.ended(t, a)
	if a := s.Do(t, s.token, http.MethodGet, pool.String(), ""); a.Status != http.StatusOK || s.Queue.Slots("big") != 2 {
		t.Errorf("the next pool: %d %v, %d slots", a.Status, a.Body, s.Queue.Slots("big"))
	}
}

// ended waits for the end of what an answer tells to ask for.
func (s *sdk) ended(t *testing.T, a armtest.Answer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for outcomeOf(t, s.Do(t, s.token, http.MethodGet, a.Header.Get("Location"), "")) != done {
		select {
		case <-ctx.Done():
			t.Fatal("what was begun does not end")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
