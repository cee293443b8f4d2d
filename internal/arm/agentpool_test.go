package arm_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
)

// The Azure CLI deletes a pool and then looks for it, to follow what becomes of
// it: it is there for that, and takes no runs.
func TestDeletedAgentPoolCanBeSeenForAWhile(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	pool := s.Scope("g", "registries", "contoso").Child("agentPools", "big")
	s.put(t, pool, `{"properties":{"count":3}}`)
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
