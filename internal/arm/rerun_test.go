package arm_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm/armtest"
)

// rerun asks for a run to be repeated.
func (s *sdk) rerun(t *testing.T, run string) armtest.Answer {
	t.Helper()
	return s.Do(t, s.token, http.MethodPost, s.Scope("g", "registries", "contoso", "runs", run).String()+"/rerun", "")
}

// opened returns the request of a stored run with its secrets.
func (s *sdk) opened(t *testing.T, run string) (drydock.RunRecord, drydock.RunRequest) {
	t.Helper()
	r, err := s.Store.Run(t.Context(), s.Scope("g", "registries", "contoso"), run)
	if err != nil {
		t.Fatal(err)
	}
	var request drydock.RunRequest
	if err := json.Unmarshal(r.Request, &request); err != nil {
		t.Fatal(err)
	}
	plain, err := s.Sealer.Open(r.Secrets, drydock.RunSecretsPurpose(r.Registry))
	if err != nil {
		t.Fatal(err)
	}
	var secrets drydock.RunSecrets
	if err := json.Unmarshal(plain, &secrets); err != nil {
		t.Fatal(err)
	}
	return r, request.Join(secrets)
}

func secretBuild(source string) *acr.DockerBuildRequest {
	return &acr.DockerBuildRequest{
		Type: to.Ptr("DockerBuildRequest"), DockerFilePath: to.Ptr("Dockerfile"), SourceLocation: &source, Platform: linux(),
		ImageNames: []*string{to.Ptr("app:{{.Run.ID}}")}, IsArchiveEnabled: to.Ptr(true),
		Arguments: []*acr.Argument{{Name: to.Ptr("A"), Value: to.Ptr("hush-argument"), IsSecret: to.Ptr(true)}},
		Credentials: &acr.Credentials{CustomRegistries: map[string]*acr.CustomRegistryCredentials{"other.example": {
			UserName: &acr.SecretObject{Type: to.Ptr(acr.SecretObjectTypeOpaque), Value: to.Ptr("u")},
			Password: &acr.SecretObject{Type: to.Ptr(acr.SecretObjectTypeOpaque), Value: to.Ptr("hush-password")},
		}}},
	}
}

func TestRerun(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso")
	s.schedule(t, "contoso", secretBuild("https://user:hush-user@git.example/app.git#main:sub"))
	if a := s.rerun(t, "ca1"); a.Status != http.StatusConflict || a.Code() != "RunNotEnded" {
		t.Errorf("a run that has not ended: %d %v", a.Status, a.Body)
	}
	if _, err := s.Queue.End(t.Context(), id, "ca1", drydock.RunFailed, `{"commit":"c0ffee","branch":"main","runErrorMessage":"no"}`); err != nil {
		t.Fatal(err)
	}
	a := s.rerun(t, "CA1")
	if a.Status != http.StatusOK || a.At("properties.runId") != "ca2" || a.At("properties.rerunOf") != "ca1" ||
		a.At("properties.status") != "Queued" || a.At("properties.runErrorMessage") != nil {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	old, want := s.opened(t, "ca1")
	again, got := s.opened(t, "ca2")
	want.Pin, want.RerunOf = drydock.SourcePin{Commit: "c0ffee", Branch: "main"}, "ca1"
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the request (-want +got):\n%s", d)
	}
	if got.Arguments[0].Value != "hush-argument" || got.Credentials[0].Password.Value != "hush-password" || !strings.Contains(got.Source, "hush-user") {
		t.Errorf("secrets are not there: %+v", got)
	}
	if string(again.Secrets) == string(old.Secrets) || strings.Contains(string(again.Request), "hush") {
		t.Error("the secrets were not sealed anew")
	}
	if again.Type != drydock.QuickBuild || !again.Archived || len(again.Result) > 0 || again.Attempts != 0 {
		t.Errorf("%+v", again)
	}

	// A run of a pinned source is itself repeated on that, also if it never got so far.
	if _, err := s.Queue.End(t.Context(), id, "ca2", drydock.RunCanceled, ""); err != nil {
		t.Fatal(err)
	}
	if a := s.rerun(t, "ca2"); a.At("properties.runId") != "ca3" {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	if _, third := s.opened(t, "ca3"); third.Pin != want.Pin || third.RerunOf != "ca2" {
		t.Errorf("%+v", third)
	}
	if a := s.rerun(t, "cz9"); a.Status != http.StatusNotFound || a.Code() != "RunNotFound" {
		t.Errorf("an unknown run: %d %v", a.Status, a.Body)
	}
}

func TestRerunOfAnArtifact(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.schedule(t, "contoso", secretBuild("oci://other.example/src:v1"))
	if _, err := s.Queue.End(t.Context(), s.Scope("g", "registries", "contoso"), "ca1", drydock.RunSucceeded, `{"sourceDigest":"sha256:abc"}`); err != nil {
		t.Fatal(err)
	}
	s.rerun(t, "ca1")
	if _, r := s.opened(t, "ca2"); r.Pin.Digest != "sha256:abc" {
		t.Errorf("%+v", r)
	}
}

func TestRerunWithoutWhatItNeeds(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso")
	task := func(status string) {
		t.Helper()
		if a := s.Do(t, s.token, http.MethodPut, id.Child("tasks", "build").String(),
			`{"location":"x","properties":{"status":"`+status+`","platform":{"os":"Linux"},"step":{"type":"EncodedTask","encodedTaskContent":"eA==","contextPath":"/dev/null"}}}`); a.Status != 200 {
			t.Fatalf("%d %v", a.Status, a.Body)
		}
	}
	task("Enabled")
	pool := func(method string) {
		t.Helper()
		if a := s.Do(t, s.token, method, id.Child("agentPools", "big").String(), `{"location":"x","properties":{"count":1}}`); a.Status >= 300 {
			t.Fatalf("%d %v", a.Status, a.Body)
		}
	}
	pool(http.MethodPut)
	pooled := secretBuild("/dev/null")
	pooled.AgentPoolName = to.Ptr("big")
	for _, request := range []acr.RunRequestClassification{
		secretBuild("source/gone.tar.gz"), pooled,
		&acr.TaskRunRequest{Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(id.Child("tasks", "build").String())},
	} {
		run := s.schedule(t, "contoso", request)
		if _, err := s.Queue.End(t.Context(), id, *run.Properties.RunID, drydock.RunSucceeded, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(run, code, text string) {
		t.Helper()
		if a := s.rerun(t, run); a.Code() != code || !strings.Contains(a.Message(), text) {
			t.Errorf("%s: %d %v, want %s", run, a.Status, a.Body, code)
		}
	}
	refused("ca1", "SourceNotFound", "source/gone.tar.gz")
	pool(http.MethodDelete)
	refused("ca2", "AgentPoolNotFound", "big")
	task("Disabled")
	refused("ca3", "TaskDisabled", "build")
	if a := s.Do(t, s.token, http.MethodDelete, id.Child("tasks", "build").String(), ""); a.Status != 200 {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	refused("ca3", "TaskNotFound", "build")
	task("Enabled")
	if a := s.rerun(t, "ca3"); a.Status != 200 || a.At("properties.task") != "build" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}
