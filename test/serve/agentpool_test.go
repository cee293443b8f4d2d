package serve_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"

	"github.com/drydockhq/drydock/test/serve"
)

// The runs that wait for a pool end with it, and say why; one that goes on ends
// by itself.
func TestDeletedPool(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	pool := "/registries/contoso/agentPools/big"
	if status, answer := a.Put(pool, `{"location":"local","properties":{"count":1}}`); status != 200 {
		t.Fatal(status, answer)
	}
	var ids []string
	for _, seconds := range []string{"3", "0"} {
		request := slow(seconds)
		request.AgentPoolName = to.Ptr("big")
		ids = append(ids, a.Schedule("contoso", request))
		waitText(t, a, ids[0], "begun")
	}
	if status, answer := a.Delete(pool); status != 202 {
		t.Fatal(status, answer)
	}
	const why = "the agent pool 'big', which the run waited for, was deleted"
	if text, end := a.WaitLog("contoso", ids[1]); end != "canceled" || !strings.Contains(text, why) {
		t.Errorf("the run that waited: %s\n%s", end, text)
	}
	if run := a.Run("contoso", ids[1]); *run.Status != canceled || *run.RunErrorMessage != why {
		t.Errorf("the run that waited: %+v", run)
	}
	if text, end := a.WaitLog("contoso", ids[0]); end != "successful" || !strings.Contains(text, "done") {
		t.Errorf("the run that went on: %s\n%s", end, text)
	}
}
