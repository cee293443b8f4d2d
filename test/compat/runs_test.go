package compat_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

func linux() *armcontainerregistry.PlatformProperties {
	return &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)}
}

func encodedStep(yaml string) *armcontainerregistry.EncodedTaskStep {
	return &armcontainerregistry.EncodedTaskStep{
		Type: to.Ptr(armcontainerregistry.StepTypeEncodedTask), EncodedTaskContent: to.Ptr(base64.StdEncoding.EncodeToString([]byte(yaml))),
	}
}

const example = `
-- Dockerfile --
FROM busybox
ARG greeting
RUN echo "$greeting" > /greeting
-- acb.yaml --
version: v1.1.0
steps:
  - build: --build-arg greeting={{.Values.greeting}} -t $Registry/app:{{.Run.ID}} .
  - cmd: $Registry/app:{{.Run.ID}} cat /greeting
  - push: ["$Registry/app:{{.Run.ID}}"]
`

// schedule schedules a run by the counted client and waits for its log.
func (a *sdk) schedule(t *testing.T, request armcontainerregistry.RunRequestClassification) (id, log string) {
	t.Helper()
	run := poll(a.acr.NewRegistriesClient().BeginScheduleRun(t.Context(), serve.Group, a.registry, request, nil))(t)
	id = *run.Properties.RunID
	log, end := a.WaitLog(a.registry, id)
	if end != "successful" {
		t.Fatalf("run %s was %s:\n%s", id, end, log)
	}
	return id, log
}

// builtImage is a request to build and push built:{{.Run.ID}}.
func builtImage(a *sdk) *armcontainerregistry.DockerBuildRequest {
	source := a.Upload(a.registry, example)
	return &armcontainerregistry.DockerBuildRequest{
		Type: to.Ptr("DockerBuildRequest"), SourceLocation: &source, DockerFilePath: to.Ptr("Dockerfile"), Platform: linux(),
		ImageNames: []*string{to.Ptr("built:{{.Run.ID}}")}, IsPushEnabled: to.Ptr(true),
		Arguments: []*armcontainerregistry.Argument{{Name: to.Ptr("greeting"), Value: to.Ptr("from a run")}},
	}
}

// builds schedules runs from an uploaded folder: a Dockerfile and a task file.
func builds(t *testing.T, a *sdk) {
	must(a.acr.NewRegistriesClient().GetBuildSourceUploadURL(t.Context(), serve.Group, a.registry, nil))(t)
	request := builtImage(a)
	source := *request.SourceLocation
	id, _ := a.schedule(t, request)
	image := a.Run(a.registry, id).OutputImages[0]
	if got := a.digest(t, a.login+"/built:"+id); got != *image.Digest || *image.Registry != a.login {
		t.Errorf("the run says that it pushed %+v, and %s is there", image, got)
	}
	id, log := a.schedule(t, &armcontainerregistry.FileTaskRunRequest{
		Type: to.Ptr("FileTaskRunRequest"), SourceLocation: &source, TaskFilePath: to.Ptr("acb.yaml"), Platform: linux(),
		Values: []*armcontainerregistry.SetValue{{Name: to.Ptr("greeting"), Value: to.Ptr("good-evening")}},
	})
	if !strings.Contains(log, "\r\ngood-evening\r\n") {
		t.Errorf("the log of %s is\n%s", id, log)
	}
	a.digest(t, a.login+"/app:"+id)
}

// runs lists, changes and cancels runs.
func runs(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewRunsClient()
	first, log := a.schedule(t, serve.Task("steps:\n- cmd: busybox echo hello\n"))
	if !strings.Contains(log, "\r\nhello\r\n") {
		t.Errorf("the log is\n%s", log)
	}
	if link := must(c.GetLogSasURL(ctx, serve.Group, a.registry, first, nil))(t); !strings.Contains(*link.LogLink, ".blob.") {
		t.Errorf("the log is at %s", *link.LogLink)
	}
	long := poll(a.acr.NewRegistriesClient().BeginScheduleRun(ctx, serve.Group, a.registry, serve.Task("steps:\n- cmd: busybox sleep 600\n"), nil))(t)
	second := *long.Properties.RunID
	poll(c.BeginCancel(ctx, serve.Group, a.registry, second, nil))(t)
	if _, end := a.WaitLog(a.registry, second); end != "canceled" {
		t.Errorf("the cancelled run was %s", end)
	}
	poll(c.BeginUpdate(ctx, serve.Group, a.registry, first, armcontainerregistry.RunUpdateParameters{IsArchiveEnabled: to.Ptr(true)}, nil))(t)
	run := must(c.Get(ctx, serve.Group, a.registry, first, nil))(t)
	if *run.Properties.Status != armcontainerregistry.RunStatusSucceeded || !*run.Properties.IsArchiveEnabled {
		t.Errorf("the run is %+v", run.Properties)
	}
	for filter, want := range map[string]string{"": second + " " + first, "Status eq 'Canceled'": second, "RunId eq '" + first + "'": first, "TaskName eq 'none'": ""} {
		var ids []string
		for _, r := range all(t, c.NewListPager(serve.Group, a.registry, &armcontainerregistry.RunsClientListOptions{Filter: &filter}),
			func(p armcontainerregistry.RunsClientListResponse) []*armcontainerregistry.Run { return p.Value }) {
			ids = append(ids, *r.Properties.RunID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("the runs with %q are %q, not %q", filter, got, want)
		}
	}
	newest := all(t, c.NewListPager(serve.Group, a.registry, &armcontainerregistry.RunsClientListOptions{Top: to.Ptr[int32](1)}),
		func(p armcontainerregistry.RunsClientListResponse) []*armcontainerregistry.Run { return p.Value })
	if len(newest) != 1 || *newest[0].Name != second {
		t.Errorf("the newest run is %+v", newest)
	}
}
