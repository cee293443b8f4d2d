package arm_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// A task as az makes it, with secrets wherever one can be.
const taskBody = `{"location":"westeurope","identity":{"type":"SystemAssigned"},"properties":{
	"status":"Enabled","platform":{"os":"linux","architecture":"amd64"},"agentConfiguration":{"cpu":2},"timeout":1800,
	"step":{"type":"FileTask","taskFilePath":"acr-task.yaml","contextPath":"https://github.com/acme/app.git#main","contextAccessToken":"hush-context",
		"values":[{"name":"A","value":"1","isSecret":false},{"name":"S","value":"hush-value","isSecret":true}]},
	"trigger":{"sourceTriggers":[{"name":"defaultSourceTriggerName","sourceTriggerEvents":["commit"],
			"sourceRepository":{"sourceControlType":"Github","repositoryUrl":"https://github.com/acme/app.git#main",
				"sourceControlAuthProperties":{"tokenType":"PAT","token":"hush-git","scope":"repo"}}}],
		"timerTriggers":[{"name":"t1","schedule":"0 21 * * *"}],
		"baseImageTrigger":{"name":"defaultBaseimageTriggerName","baseImageTriggerType":"Runtime"}},
	"credentials":{"customRegistries":{"other.example":{
		"userName":{"type":"Opaque","value":"hush-user"},"password":{"type":"Opaque","value":"hush-password"}},
		"vault.example":{"userName":{"type":"Vaultsecret","value":"https://v.example/secrets/u"},"password":{"type":"Vaultsecret","value":"https://v.example/secrets/p"},"identity":"[system]"}}}}}`

func (s *sdk) task(t *testing.T) drydock.ResourceID {
	t.Helper()
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso", "tasks", "nightly")
	a := s.Do(t, s.token, http.MethodPut, id.String(), taskBody)
	if a.Status != http.StatusOK || strings.Contains(fmt.Sprint(a.Body), "hush") {
		t.Fatalf("creating a task answers %d %v", a.Status, a.Body)
	}
	return id
}

func TestTaskKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	for _, a := range []struct{ method, path string }{
		{http.MethodGet, id.String()},
		{http.MethodGet, id.Parent().String() + "/tasks"},
		{http.MethodGet, "/subscriptions/" + s.Subscription + "/resources"},
	} {
		got := s.Do(t, s.token, a.method, a.path, "")
		text, err := json.Marshal(got.Body)
		if err != nil || got.Status != 200 || strings.Contains(string(text), "hush") {
			t.Errorf("%s %s: %d %s", a.method, a.path, got.Status, text)
		}
	}
	stored, err := s.Store.Resource(t.Context(), id)
	if err != nil || strings.Contains(string(stored.Body)+string(stored.Secrets), "hush") {
		t.Errorf("stored %s: %v", stored.Body, err)
	}
	client := s.acr.NewTasksClient()
	shown, err := client.Get(t.Context(), "g", "contoso", "nightly", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := shown.Properties
	if p.CreationDate.Unix() != stored.Created.Unix() || *p.Timeout != 1800 || *p.Status != acr.TaskStatusEnabled ||
		*p.ProvisioningState != acr.ProvisioningStateSucceeded || *p.Trigger.SourceTriggers[0].Status != acr.TriggerStatusEnabled ||
		*p.Trigger.BaseImageTrigger.UpdateTriggerPayloadType != acr.UpdateTriggerPayloadTypeDefault ||
		*p.Credentials.CustomRegistries["vault.example"].Password.Value != "https://v.example/secrets/p" {
		t.Errorf("shown %+v", p)
	}
	if shown.Identity.PrincipalID == nil || *shown.Identity.TenantID != s.Tenant {
		t.Errorf("the identity is %+v", shown.Identity)
	}
	details, err := client.GetDetails(t.Context(), "g", "contoso", "nightly", nil)
	if err != nil {
		t.Fatal(err)
	}
	step, _ := details.Properties.Step.(*acr.FileTaskStep)
	if step == nil || *step.ContextAccessToken != "hush-context" || *step.Values[1].Value != "hush-value" ||
		*details.Properties.Credentials.CustomRegistries["other.example"].Password.Value != "hush-password" ||
		*details.Properties.Trigger.SourceTriggers[0].SourceRepository.SourceControlAuthProperties.Token != "hush-git" {
		t.Errorf("the details are %+v", details.Properties)
	}
	reader := s.Token(t, s.Principal(t, auth.ReaderRole, s.Scope("")))
	if a := s.Do(t, reader, http.MethodPost, id.String()+"/listDetails", ""); a.Status != 403 {
		t.Errorf("a reader gets the details: %d", a.Status)
	}
}

func TestTaskIdentityEndsWithIt(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	principal := func() string {
		found, err := s.Store.Principals(t.Context(), id)
		if err != nil || len(found) > 1 {
			t.Fatalf("%v: %v", found, err)
		}
		if len(found) == 0 {
			return ""
		}
		return found[0].ID
	}
	first := principal()
	s.Do(t, s.token, http.MethodPut, id.String(), taskBody)
	if again := principal(); again != first || first == "" {
		t.Errorf("the identity was %q and is %q", first, again)
	}
	s.Do(t, s.token, http.MethodPatch, id.String(), `{"identity":{"type":"None"}}`)
	if now := principal(); now != "" {
		t.Errorf("without an identity there is %q", now)
	}
	s.Do(t, s.token, http.MethodPatch, id.String(), `{"identity":{"type":"SystemAssigned"}}`)
	if now := principal(); now == "" || now == first {
		t.Errorf("the new identity is %q", now)
	}
	poller, err := s.acr.NewTasksClient().BeginDelete(t.Context(), "g", "contoso", "nightly", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), quick); err != nil {
		t.Error(err)
	}
	if now := principal(); now != "" {
		t.Errorf("after its task there is %q", now)
	}
}

// What `task update` and `task credential add` send.
func TestTaskUpdateWithTheSDK(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.task(t)
	ctx, client := t.Context(), s.acr.NewTasksClient()
	poller, err := client.BeginUpdate(ctx, "g", "contoso", "nightly", acr.TaskUpdateParameters{Properties: &acr.TaskPropertiesUpdateParameters{
		Platform: &acr.PlatformUpdateParameters{}, AgentConfiguration: &acr.AgentProperties{}, Timeout: to.Ptr[int32](900),
		Step: &acr.FileTaskStepUpdateParameters{
			Type:   to.Ptr(acr.StepTypeFileTask),
			Values: []*acr.SetValue{{Name: to.Ptr("A"), Value: to.Ptr("2")}, {Name: to.Ptr("B"), Value: to.Ptr("3")}},
		},
		Credentials: &acr.Credentials{CustomRegistries: map[string]*acr.CustomRegistryCredentials{
			"new.example": {Password: &acr.SecretObject{Type: to.Ptr(acr.SecretObjectTypeOpaque), Value: to.Ptr("hush-new")}},
		}},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(ctx, quick); err != nil {
		t.Fatal(err)
	}
	details, err := client.GetDetails(ctx, "g", "contoso", "nightly", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := details.Properties
	step, _ := p.Step.(*acr.FileTaskStep)
	values := map[string]string{}
	for _, v := range step.Values {
		values[*v.Name] = *v.Value
	}
	if d := cmp.Diff(map[string]string{"A": "2", "S": "hush-value", "B": "3"}, values); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	if *p.Timeout != 900 || *p.Platform.OS != "linux" || *p.AgentConfiguration.CPU != 2 || *step.ContextAccessToken != "hush-context" ||
		len(p.Credentials.CustomRegistries) != 3 || *p.Credentials.CustomRegistries["new.example"].Password.Value != "hush-new" ||
		*p.Credentials.CustomRegistries["other.example"].UserName.Value != "hush-user" || len(p.Trigger.TimerTriggers) != 1 {
		t.Errorf("updated to %+v", p)
	}
}

func TestTaskDefaults(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.put(t, s.Scope("g", "registries", "contoso", "tasks", "build"),
		`{"properties":{"step":{"type":"Docker","dockerFilePath":"Dockerfile","contextPath":"/dev/null","imageNames":["a:b"]}}}`)
	got, err := s.acr.NewTasksClient().Get(t.Context(), "g", "contoso", "build", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := got.Properties
	step, _ := p.Step.(*acr.DockerBuildStep)
	if step == nil || !*step.IsPushEnabled || *step.NoCache || *p.Timeout != 3600 || *p.AgentConfiguration.CPU != 2 || *p.IsSystemTask ||
		*p.Platform.OS != acr.OSLinux || *p.Platform.Architecture != acr.ArchitectureAmd64 || *got.Location != "westeurope" || got.Identity != nil {
		t.Errorf("%+v", p)
	}
	// The default is shown; what the client wrote is kept as it was.
	stored, err := s.Store.Resource(t.Context(), s.Scope("g", "registries", "contoso", "tasks", "build"))
	if err != nil || strings.Contains(string(stored.Body), "isPushEnabled") {
		t.Errorf("stored %s: %v", stored.Body, err)
	}
}

func TestRunOfTask(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	run := s.schedule(t, "contoso", &acr.TaskRunRequest{
		Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(strings.ToLower(id.String())), IsArchiveEnabled: to.Ptr(false),
		OverrideTaskStepProperties: &acr.OverrideTaskStepProperties{
			File: to.Ptr("other.yaml"), ContextPath: to.Ptr("https://github.com/acme/app.git#dev"), UpdateTriggerToken: to.Ptr("dG9rZW4="),
			Values: []*acr.SetValue{{Name: to.Ptr("A"), Value: to.Ptr("9")}, {Name: to.Ptr("X"), Value: to.Ptr("hush-x"), IsSecret: to.Ptr(true)}},
		},
	})
	if *run.Properties.Task != "nightly" || *run.Properties.RunType != acr.RunTypeQuickRun || *run.Properties.UpdateTriggerToken != "dG9rZW4=" ||
		len(run.Properties.CustomRegistries) != 2 || *run.Properties.SourceRegistryAuth != "contoso.azurecr.drydock.test:8443" {
		t.Errorf("%+v", run.Properties)
	}
	record, err := s.Store.Run(t.Context(), id.Parent(), *run.Name)
	if err != nil || !record.Altered || strings.Contains(string(record.Request), "hush") {
		t.Fatalf("%s: %v", record.Request, err)
	}
	got := s.requestOf(t, record)
	want := drydock.RunRequest{
		Kind: drydock.FileTaskRun, Source: "https://github.com/acme/app.git#dev", SourceToken: "hush-context",
		TaskFile: "other.yaml", Arguments: []drydock.RunValue{},
		Values:   []drydock.RunValue{{Name: "A", Value: "9"}, {Name: "S", Value: "hush-value", Secret: true}, {Name: "X", Value: "hush-x", Secret: true}},
		Platform: "linux/amd64", OS: "linux", Architecture: "amd64", CPU: 2, Timeout: 1800e9,
		Credentials: []drydock.RunCredential{
			{Registry: "other.example", Username: drydock.SecretValue{Value: "hush-user"}, Password: drydock.SecretValue{Value: "hush-password"}},
			{
				Registry: "vault.example", Identity: "[system]",
				Username: drydock.SecretValue{Value: "https://v.example/secrets/u", Vault: true},
				Password: drydock.SecretValue{Value: "https://v.example/secrets/p", Vault: true},
			},
		},
		RegistryLogin: true, UpdateTriggerToken: "dG9rZW4=", Identity: id,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the request (-want +got):\n%s", d)
	}
	run = s.schedule(t, "contoso", &acr.TaskRunRequest{
		Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(id.String()), OverrideTaskStepProperties: &acr.OverrideTaskStepProperties{
			UpdateTriggerToken: to.Ptr("dG9rZW4="), Values: []*acr.SetValue{{Name: to.Ptr("A"), Value: to.Ptr("1")}},
		},
	})
	if record, err = s.Store.Run(t.Context(), id.Parent(), *run.Name); err != nil || record.Altered {
		t.Errorf("a run with what the task itself has is altered: %v", err)
	}
	s.Do(t, s.token, http.MethodPatch, id.String(), `{"properties":{"status":"Disabled"}}`)
	schedule := id.Parent().String() + "/scheduleRun"
	if a := s.Do(t, s.token, http.MethodPost, schedule, `{"type":"TaskRunRequest","taskId":"`+id.String()+`"}`); a.Status != 409 || a.Code() != "TaskDisabled" {
		t.Errorf("a disabled task: %d %v", a.Status, a.Body)
	}
	for taskID, code := range map[string]string{
		id.Parent().Child("tasks", "missing").String(): "ResourceNotFound",
		id.Parent().String():                           "InvalidTaskId",
		"nightly":                                      "InvalidTaskId",
		s.Scope("g", "registries", "another", "tasks", "nightly").String():                                            "InvalidTaskId",
		"/subscriptions/x/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso/../tasks/nightly": "InvalidTaskId",
	} {
		if a := s.Do(t, s.token, http.MethodPost, schedule, `{"type":"TaskRunRequest","taskId":"`+taskID+`"}`); a.Code() != code {
			t.Errorf("task %s: %d %v", taskID, a.Status, a.Body)
		}
	}
}

func TestQuickRuns(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	yaml := "steps:\n- cmd: bash\n"
	encoded := s.schedule(t, "contoso", &acr.EncodedTaskRunRequest{
		Type: to.Ptr("EncodedTaskRunRequest"), EncodedTaskContent: to.Ptr(base64.StdEncoding.EncodeToString([]byte(yaml))),
		EncodedValuesContent: to.Ptr(base64.StdEncoding.EncodeToString([]byte("a: b"))), Platform: linux(), SourceLocation: to.Ptr("/dev/null"),
		Credentials: &acr.Credentials{SourceRegistry: &acr.SourceRegistryCredentials{LoginMode: to.Ptr(acr.SourceRegistryLoginModeNone)}},
	})
	file := s.schedule(t, "contoso", &acr.FileTaskRunRequest{
		Type: to.Ptr("FileTaskRunRequest"), TaskFilePath: to.Ptr("acb.yaml"), ValuesFilePath: to.Ptr("values.yaml"), Timeout: to.Ptr[int32](600),
		Platform:       &acr.PlatformProperties{OS: to.Ptr(acr.OSLinux), Architecture: to.Ptr(acr.ArchitectureArm64), Variant: to.Ptr(acr.VariantV8)},
		SourceLocation: to.Ptr("source/x.tar.gz"), LogTemplate: to.Ptr("logs:{{.Run.ID}}"),
	})
	if *encoded.Properties.RunType != acr.RunTypeQuickRun || encoded.Properties.SourceRegistryAuth != nil || *file.Name != "ca2" ||
		*file.Properties.Platform.Variant != acr.VariantV8 || encoded.Properties.Task != nil {
		t.Errorf("%+v\n%+v", encoded.Properties, file.Properties)
	}
	for name, check := range map[string]func(drydock.RunRequest) bool{
		"ca1": func(r drydock.RunRequest) bool {
			return string(r.TaskContent) == yaml && string(r.ValuesContent) == "a: b" && !r.RegistryLogin && r.Kind == drydock.EncodedTaskRun
		},
		"ca2": func(r drydock.RunRequest) bool {
			return r.TaskFile == "acb.yaml" && r.ValuesFile == "values.yaml" && r.Timeout.Minutes() == 10 && r.Architecture == "arm64" && r.LogTemplate == "logs:{{.Run.ID}}"
		},
	} {
		record, err := s.Store.Run(t.Context(), s.Scope("g", "registries", "contoso"), name)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.requestOf(t, record); !check(got) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
