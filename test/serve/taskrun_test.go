package serve_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

func TestTaskRun(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	client, err := armcontainerregistry.NewTaskRunsClient(a.Subscription, s.Admin(), s.ARM())
	if err != nil {
		t.Fatal(err)
	}
	poller, err := client.BeginCreate(t.Context(), serve.Group, "contoso", "once", armcontainerregistry.TaskRun{
		Properties: &armcontainerregistry.TaskRunProperties{RunRequest: serve.Task("steps:\n- cmd: busybox echo once\n"), ForceUpdateTag: to.Ptr("1")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	done, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil || *done.Properties.RunResult.Properties.Status != armcontainerregistry.RunStatusSucceeded {
		t.Fatalf("%+v: %v", done.Properties, err)
	}
	if text, end := a.WaitLog("contoso", *done.Properties.RunResult.Properties.RunID); end != "successful" || !strings.Contains(text, "once") {
		t.Errorf("%s\n%s", end, text)
	}
	if status, body := a.Post("/registries/contoso/taskRuns/once/listDetails", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}
