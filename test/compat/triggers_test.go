package compat_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// ask does an operation that is not Azure's, and decodes the answer into out. The
// SDK has none of them.
func (a *sdk) ask(t *testing.T, method, path string, out any) {
	t.Helper()
	endpoint := "https://" + a.Server.Host("management")
	token := must(a.Server.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{endpoint + "/.default"}}))(t)
	req := must(http.NewRequestWithContext(t.Context(), method, endpoint+path+"?api-version=2025-04-01", http.NoBody))(t)
	req.Header.Set("Authorization", "Bearer "+token.Token)
	resp := must(a.site.recorder.Do(req))(t)
	defer resp.Body.Close()
	text := must(io.ReadAll(resp.Body))(t)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s\n%s", method, path, resp.Status, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, text)
	}
}

// dependent is a task as taskDependencies shows it.
type dependent struct {
	Registry, Name, Status string
	TimerTriggers          []struct{ Name, Schedule string }
}

// triggers makes a task with a timer, and asks what starts it, why a run of it
// ran, and where registries tell of pushes.
func triggers(t *testing.T, a *sdk) {
	body := taskBody()
	body.Properties.Trigger = &armcontainerregistry.TriggerProperties{TimerTriggers: []*armcontainerregistry.TimerTrigger{
		{Name: to.Ptr("yearly"), Schedule: to.Ptr("0 0 1 1 *"), Status: to.Ptr(armcontainerregistry.TriggerStatusDisabled)},
	}}
	made := poll(a.acr.NewTasksClient().BeginCreate(t.Context(), serve.Group, a.registry, "watched", body, nil))(t)
	registry, provider := "/"+a.scope(), "/subscriptions/"+a.Subscription+"/providers/"+acrNamespace
	for _, scope := range []string{registry, provider} {
		var list struct{ Value []*dependent }
		a.ask(t, http.MethodGet, scope+"/taskDependencies", &list)
		if !has(list.Value, func(d *dependent) bool {
			return d.Registry == a.registry && d.Name == "watched" && len(d.TimerTriggers) == 1 && d.TimerTriggers[0].Schedule == "0 0 1 1 *"
		}) {
			t.Errorf("%s has the tasks %+v", scope, list.Value)
		}
	}
	id, _ := a.schedule(t, &armcontainerregistry.TaskRunRequest{Type: to.Ptr("TaskRunRequest"), TaskID: made.ID})
	var cause struct {
		Task, Trigger string
		Explanation   []string
	}
	a.ask(t, http.MethodGet, registry+"/runs/"+id+"/cause", &cause)
	if cause.Task != "watched" || cause.Trigger != "Manual" || len(cause.Explanation) == 0 {
		t.Errorf("the cause of %s is %+v", id, cause)
	}
	var before, shown, after struct{ URL, Secret string }
	a.ask(t, http.MethodPost, registry+"/listTriggerHook", &before)
	a.ask(t, http.MethodPost, registry+"/listTriggerHook", &shown)
	a.ask(t, http.MethodPost, registry+"/regenerateTriggerHook", &after)
	if before != shown || after.URL != before.URL || after.Secret == before.Secret || after.Secret == "" {
		t.Error("the secret of the hook did not stay, or did not change")
	}
}

// rerun repeats a run.
func rerun(t *testing.T, a *sdk) {
	first, _ := a.schedule(t, serve.Task("steps:\n- cmd: busybox true\n"))
	var again struct {
		Name       string
		Properties struct{ RerunOf string }
	}
	a.ask(t, http.MethodPost, "/"+a.scope()+"/runs/"+first+"/rerun", &again)
	if _, end := a.WaitLog(a.registry, again.Name); end != "successful" || again.Name == first || again.Properties.RerunOf != first {
		t.Errorf("%+v ended as %s", again, end)
	}
}
