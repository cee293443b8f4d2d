package compat_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

const greeting = "version: v1.1.0\nsteps:\n- cmd: busybox echo {{.Values.word}} and {{.Values.secret}}\n"

func taskBody() armcontainerregistry.Task {
	step := encodedStep(greeting)
	step.Values = []*armcontainerregistry.SetValue{
		{Name: to.Ptr("word"), Value: to.Ptr("first")}, {Name: to.Ptr("secret"), Value: to.Ptr("hush-hush"), IsSecret: to.Ptr(true)},
	}
	return armcontainerregistry.Task{
		Location:   to.Ptr("here"),
		Properties: &armcontainerregistry.TaskProperties{Status: to.Ptr(armcontainerregistry.TaskStatusEnabled), Platform: linux(), Step: step, Timeout: to.Ptr[int32](600)},
	}
}

// tasks makes a task, runs it, changes it, runs it again, and deletes it.
func tasks(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewTasksClient()
	made := poll(c.BeginCreate(ctx, serve.Group, a.registry, "greet", taskBody(), nil))(t)
	request := &armcontainerregistry.TaskRunRequest{Type: to.Ptr("TaskRunRequest"), TaskID: made.ID}
	if _, log := a.schedule(t, request); !strings.Contains(log, "\r\nfirst and ***\r\n") {
		t.Errorf("the log is\n%s", log)
	}
	shown := must(c.Get(ctx, serve.Group, a.registry, "greet", nil))(t)
	if v := shown.Properties.Step.(*armcontainerregistry.EncodedTaskStep).Values[1].Value; v != nil && *v != "" {
		t.Errorf("a secret is shown: %s", *v)
	}
	details := must(c.GetDetails(ctx, serve.Group, a.registry, "greet", nil))(t)
	if v := details.Properties.Step.(*armcontainerregistry.EncodedTaskStep).Values[1].Value; v == nil || *v != "hush-hush" {
		t.Errorf("the details have the secret %v", v)
	}
	changed := poll(c.BeginUpdate(ctx, serve.Group, a.registry, "greet", armcontainerregistry.TaskUpdateParameters{
		Properties: &armcontainerregistry.TaskPropertiesUpdateParameters{
			AgentConfiguration: &armcontainerregistry.AgentProperties{CPU: to.Ptr[int32](1)},
			Step: &armcontainerregistry.EncodedTaskStepUpdateParameters{
				Type: to.Ptr(armcontainerregistry.StepTypeEncodedTask), Values: []*armcontainerregistry.SetValue{{Name: to.Ptr("word"), Value: to.Ptr("second")}},
			},
		},
	}, nil))(t)
	if *changed.Properties.AgentConfiguration.CPU != 1 || *changed.Properties.Timeout != 600 {
		t.Errorf("the changed task is %+v", changed.Properties)
	}
	if _, log := a.schedule(t, request); !strings.Contains(log, "\r\nsecond and ***\r\n") {
		t.Errorf("the log is\n%s", log)
	}
	request.OverrideTaskStepProperties = &armcontainerregistry.OverrideTaskStepProperties{
		Values: []*armcontainerregistry.SetValue{{Name: to.Ptr("word"), Value: to.Ptr("third")}},
	}
	if _, log := a.schedule(t, request); !strings.Contains(log, "\r\nthird and ***\r\n") {
		t.Errorf("the log is\n%s", log)
	}
	list := func() []*armcontainerregistry.Task {
		return all(t, c.NewListPager(serve.Group, a.registry, nil), func(p armcontainerregistry.TasksClientListResponse) []*armcontainerregistry.Task { return p.Value })
	}
	if l := list(); len(l) != 1 || *l[0].Name != "greet" {
		t.Errorf("the tasks are %+v", l)
	}
	poll(c.BeginDelete(ctx, serve.Group, a.registry, "greet", nil))(t)
	if l := list(); len(l) != 0 {
		t.Errorf("the tasks are %+v", l)
	}
}

// taskRuns makes a run that is a resource, runs it once more, and deletes it.
func taskRuns(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewTaskRunsClient()
	request := serve.Task(greeting)
	request.Values = taskBody().Properties.Step.(*armcontainerregistry.EncodedTaskStep).Values
	made := poll(c.BeginCreate(ctx, serve.Group, a.registry, "once", armcontainerregistry.TaskRun{
		Location: to.Ptr("here"), Properties: &armcontainerregistry.TaskRunProperties{RunRequest: request, ForceUpdateTag: to.Ptr("1")},
	}, nil))(t)
	first := *made.Properties.RunResult.Properties.RunID
	if log, end := a.WaitLog(a.registry, first); end != "successful" || !strings.Contains(log, "first and ***") {
		t.Errorf("%s:\n%s", end, log)
	}
	details := must(c.GetDetails(ctx, serve.Group, a.registry, "once", nil))(t)
	if v := details.Properties.RunRequest.(*armcontainerregistry.EncodedTaskRunRequest).Values[1].Value; v == nil || *v != "hush-hush" {
		t.Errorf("the details have the secret %v", v)
	}
	poll(c.BeginUpdate(ctx, serve.Group, a.registry, "once", armcontainerregistry.TaskRunUpdateParameters{
		Properties: &armcontainerregistry.TaskRunPropertiesUpdateParameters{ForceUpdateTag: to.Ptr("2")},
	}, nil))(t)
	got := must(c.Get(ctx, serve.Group, a.registry, "once", nil))(t)
	if second := *got.Properties.RunResult.Properties.RunID; second == first || *got.Properties.ProvisioningState != armcontainerregistry.ProvisioningStateSucceeded {
		t.Errorf("after %s came %s", first, second)
	}
	if l := all(t, c.NewListPager(serve.Group, a.registry, nil), func(p armcontainerregistry.TaskRunsClientListResponse) []*armcontainerregistry.TaskRun {
		return p.Value
	}); len(l) != 1 {
		t.Errorf("the task runs are %+v", l)
	}
	poll(c.BeginDelete(ctx, serve.Group, a.registry, "once", nil))(t)
	if status := *a.Run(a.registry, first).Status; status != armcontainerregistry.RunStatusSucceeded {
		t.Errorf("the run of a deleted task run is %s", status)
	}
}

// agentPools makes a pool and runs a task in it.
func agentPools(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewAgentPoolsClient()
	made := poll(c.BeginCreate(ctx, serve.Group, a.registry, "pool", armcontainerregistry.AgentPool{
		Location: to.Ptr("here"), Properties: &armcontainerregistry.AgentPoolProperties{Count: to.Ptr[int32](1), OS: to.Ptr(armcontainerregistry.OSLinux)},
	}, nil))(t)
	if *made.Properties.ProvisioningState != armcontainerregistry.ProvisioningStateSucceeded {
		t.Errorf("the pool is %+v", made.Properties)
	}
	if q := must(c.GetQueueStatus(ctx, serve.Group, a.registry, "pool", nil))(t); *q.Count != 0 {
		t.Errorf("%d runs wait", *q.Count)
	}
	request := serve.Task("steps:\n- cmd: busybox echo in a pool\n")
	request.AgentPoolName = to.Ptr("pool")
	id, _ := a.schedule(t, request)
	if pool := a.Run(a.registry, id).AgentPoolName; pool == nil || *pool != "pool" {
		t.Errorf("run %s was in the pool %v", id, pool)
	}
	poll(c.BeginUpdate(ctx, serve.Group, a.registry, "pool", armcontainerregistry.AgentPoolUpdateParameters{
		Properties: &armcontainerregistry.AgentPoolPropertiesUpdateParameters{Count: to.Ptr[int32](3)},
	}, nil))(t)
	if got := must(c.Get(ctx, serve.Group, a.registry, "pool", nil))(t); *got.Properties.Count != 3 {
		t.Errorf("the pool has %d slots", *got.Properties.Count)
	}
	if l := all(t, c.NewListPager(serve.Group, a.registry, nil), func(p armcontainerregistry.AgentPoolsClientListResponse) []*armcontainerregistry.AgentPool {
		return p.Value
	}); len(l) != 1 {
		t.Errorf("the pools are %+v", l)
	}
	poll(c.BeginDelete(ctx, serve.Group, a.registry, "pool", nil))(t)
	if _, err := c.Get(ctx, serve.Group, a.registry, "pool", nil); err == nil {
		t.Error("the pool is still there")
	}
}
