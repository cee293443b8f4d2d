package arm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// runs makes runs of one registry, oldest first.
func (s *sdk) runs(t *testing.T, records ...drydock.RunRecord) drydock.ResourceID {
	t.Helper()
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso")
	for i, r := range records {
		r.Registry, r.Request = id, []byte(`{"Platform":"linux/amd64","CPU":2}`)
		r.Created = time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)
		r.Updated = r.Created
		want := r
		stored, err := s.Store.CreateRun(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Store.UpdateRun(t.Context(), id, stored.ID, func(r *drydock.RunRecord) error {
			r.Status, r.Result, r.Finished = want.Status, want.Result, want.Finished
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func (s *sdk) list(t *testing.T, o *acr.RunsClientListOptions) (ids []string, pages int) {
	t.Helper()
	for pager := s.acr.NewRunsClient().NewListPager("g", "contoso", o); pager.More(); pages++ {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range page.Value {
			ids = append(ids, *run.Name)
		}
	}
	return ids, pages
}

func TestListRunsByFilter(t *testing.T) {
	t.Parallel()
	s := start(t)
	output := []byte(`{"outputImages":[{"registry":"contoso.azurecr.io","repository":"app","tag":"v1","digest":"sha256:abc"}]}`)
	s.runs(t,
		drydock.RunRecord{Type: drydock.QuickBuild, Status: drydock.RunSucceeded, Result: output, Finished: time.Date(2024, 1, 1, 1, 0, 0, 0, time.UTC)},
		drydock.RunRecord{Type: drydock.AutoRun, Status: drydock.RunFailed, Task: "nightly", Pool: "big"},
		drydock.RunRecord{Type: drydock.QuickRun, Status: drydock.RunSucceeded, Task: "nightly", Archived: true},
		drydock.RunRecord{Type: drydock.QuickRun, Status: drydock.RunQueued, Task: "it's"},
	)
	for filter, want := range map[string]string{
		"":                      "ca4 ca3 ca2 ca1",
		"TaskName eq 'nightly'": "ca3 ca2",

		"taskname eq 'NIGHTLY' and Status eq 'Failed'":          "ca2",
		"TaskName eq 'it''s'":                                   "ca4",
		"Status eq 'Failed' or Status eq 'Queued'":              "ca4 ca2",
		"not (TaskName eq 'nightly') and RunType ne 'QuickRun'": "ca1",
		"RunId eq 'ca3'":                                        "ca3",
		"AgentPoolName eq 'big'":                                "ca2",
		"IsArchiveEnabled eq true":                              "ca3",

		"CreateTime ge 2024-01-02T00:00:00Z and CreateTime lt 2024-01-04T00:00:00Z": "ca3 ca2",
		"FinishTime le datetime'2024-01-01T01:00:00Z'":                              "ca1",
		"contains(OutputImageManifests, 'app@sha256:abc')":                          "ca1",
		"contains(OutputImageManifests,'app:v1') or startswith(TaskName,'night')":   "ca3 ca2 ca1",
		"TaskName eq 'nobody'' or 1 eq 1'":                                          "",
		"TaskName eq 'x%'":                                                          "",
	} {
		ids, _ := s.list(t, &acr.RunsClientListOptions{Filter: &filter})
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	for _, filter := range []string{
		"TaskName", "TaskName eq", "TaskName eq nightly", "TaskName eq 'a", "Nothing eq 'a'", "Status eq 'Lost'", "TaskName gt 'a'",
		"TaskName eq 'a' and", "(TaskName eq 'a'", "TaskName eq 'a')", "CreateTime gt 'yesterday'", "IsArchiveEnabled eq 'maybe'",
		"contains(TaskName)", "length(TaskName) eq 1", "TaskName eq 'a'; drop table runs", "' or '1' eq '1", "CreateTime gt ,",
		strings.Repeat("(", 100) + "TaskName eq 'a'" + strings.Repeat(")", 100), "TaskName eq '" + strings.Repeat("a", 5000) + "'",
	} {
		a := s.Do(t, s.token, http.MethodGet, s.Scope("g", "registries", "contoso").String()+"/runs?$filter="+url.QueryEscape(filter), "")
		if a.Status != 400 || a.Code() != "InvalidFilter" || a.At("error.target") != "$filter" {
			t.Errorf("%.60s: %d %v", filter, a.Status, a.Body)
		}
	}
}

func TestListRunsInPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	records := make([]drydock.RunRecord, 230)
	for i := range records {
		records[i] = drydock.RunRecord{Type: drydock.QuickRun, Status: drydock.RunQueued, Task: fmt.Sprintf("t%d", i%2)}
	}
	id := s.runs(t, records...)
	for _, test := range []struct {
		top    int32
		filter string
		count  int
		pages  int
	}{
		{0, "", 230, 3},
		{15, "", 15, 1},
		{100, "", 100, 1},
		{150, "", 150, 2},
		{1000, "", 230, 3},
		{0, "TaskName eq 't1'", 115, 2},
		{0, "not TaskName eq 't1'", 115, 2},
		{1, "not TaskName eq 't1'", 1, 1},
	} {
		o := &acr.RunsClientListOptions{Filter: &test.filter}
		if test.top > 0 {
			o.Top = &test.top
		}
		ids, pages := s.list(t, o)
		seen := map[string]bool{}
		for _, run := range ids {
			seen[run] = true
		}
		if len(ids) != test.count || len(seen) != test.count || pages != test.pages || ids[0] < ids[len(ids)-1] {
			t.Errorf("%+v: %d runs, %d different, on %d pages", test, len(ids), len(seen), pages)
		}
	}
	for query, code := range map[string]string{
		"$top=0": "InvalidTopParameter", "$top=-1": "InvalidTopParameter", "$top=x": "InvalidTopParameter", "$top=99999999999999999999": "InvalidTopParameter",
		"$skipToken=x": "InvalidSkipToken", "$skiptoken=-4": "InvalidSkipToken",
	} {
		if a := s.Do(t, s.token, http.MethodGet, id.String()+"/runs?"+query, ""); a.Status != 400 || a.Code() != code {
			t.Errorf("%s: %d %v", query, a.Status, a.Body)
		}
	}
}

func TestRunOperations(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.runs(t, drydock.RunRecord{Type: drydock.QuickRun, Status: drydock.RunRunning}, drydock.RunRecord{Type: drydock.QuickRun, Status: drydock.RunRunning})
	ctx, client := t.Context(), s.acr.NewRunsClient()
	update, err := client.BeginUpdate(ctx, "g", "contoso", "CA1", acr.RunUpdateParameters{IsArchiveEnabled: to.Ptr(true)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if updated, err := update.PollUntilDone(ctx, quick); err != nil || !*updated.Properties.IsArchiveEnabled {
		t.Errorf("%+v: %v", updated.Properties, err)
	}
	cancel, err := client.BeginCancel(ctx, "g", "contoso", "ca1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cancel.PollUntilDone(ctx, quick); err != nil {
		t.Error(err)
	}
	shown, err := client.Get(ctx, "g", "contoso", "ca1", nil)
	if err != nil || *shown.Properties.Status != acr.RunStatusCanceled || shown.Properties.FinishTime == nil {
		t.Errorf("%+v: %v", shown.Properties, err)
	}
	_, err = client.BeginCancel(ctx, "g", "contoso", "ca1", nil)
	wantCode(t, "canceling what has ended", err, 409, "RunEnded")
	_, err = client.Get(ctx, "g", "contoso", "ca9", nil)
	wantCode(t, "an unknown run", err, 404, "RunNotFound")
	_, err = client.Get(ctx, "g", "nowhere", "ca1", nil)
	wantCode(t, "an unknown registry", err, 404, "ParentResourceNotFound")
	_, err = client.GetLogSasURL(ctx, "g", "contoso", "ca9", nil)
	wantCode(t, "the log of an unknown run", err, 404, "RunNotFound")

	if _, err := s.Queue.End(ctx, id, "ca2", drydock.RunFailed,
		`{"runErrorMessage":"step x failed","outputImages":[{"registry":"r","repository":"a","tag":"b","digest":"sha256:c"}],"status":"Succeeded"}`); err != nil {
		t.Fatal(err)
	}
	failed, err := client.Get(ctx, "g", "contoso", "ca2", nil)
	if p := failed.Properties; err != nil || *p.RunErrorMessage != "step x failed" || *p.Status != acr.RunStatusFailed || *p.OutputImages[0].Digest != "sha256:c" {
		t.Errorf("%+v: %v", p, err)
	}
}

func TestTaskRuns(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	ctx, client := t.Context(), s.acr.NewTaskRunsClient()
	id := s.Scope("g", "registries", "contoso")
	content := func(tag string) acr.TaskRun {
		return acr.TaskRun{Properties: &acr.TaskRunProperties{
			ForceUpdateTag: &tag,
			RunRequest: &acr.EncodedTaskRunRequest{
				Type: to.Ptr("EncodedTaskRunRequest"), EncodedTaskContent: to.Ptr("eA=="), Platform: linux(),
				Values: []*acr.SetValue{{Name: to.Ptr("S"), Value: to.Ptr("hush"), IsSecret: to.Ptr(true)}},
			},
		}}
	}
	poller, err := client.BeginCreate(ctx, "g", "contoso", "once", content("1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.Poll(ctx); err != nil || poller.Done() {
		t.Fatalf("done before its run is: %v", err)
	}
	if _, err := s.Queue.End(ctx, id, "ca1", drydock.RunSucceeded, ""); err != nil {
		t.Fatal(err)
	}
	done, err := poller.PollUntilDone(ctx, quick)
	if err != nil || *done.Properties.RunResult.Properties.RunID != "ca1" || *done.Properties.ProvisioningState != acr.ProvisioningStateSucceeded {
		t.Fatalf("%+v: %v", done.Properties, err)
	}
	stored, err := s.Store.Resource(ctx, id.Child("taskRuns", "once"))
	if err != nil || strings.Contains(string(stored.Body), "hush") {
		t.Errorf("stored %s: %v", stored.Body, err)
	}
	count := func() int {
		ids, _ := s.list(t, nil)
		return len(ids)
	}
	if _, err = client.BeginCreate(ctx, "g", "contoso", "once", content("1"), nil); err != nil || count() != 1 {
		t.Errorf("the same again made %d runs: %v", count(), err)
	}
	if _, err = client.BeginCreate(ctx, "g", "contoso", "once", content("2"), nil); err != nil || count() != 2 {
		t.Errorf("another forceUpdateTag made %d runs: %v", count(), err)
	}
	details, err := client.GetDetails(ctx, "g", "contoso", "once", nil)
	if request, _ := details.Properties.RunRequest.(*acr.EncodedTaskRunRequest); err != nil || request == nil || *request.Values[0].Value != "hush" {
		t.Errorf("%+v: %v", details.Properties, err)
	}
	if _, err := s.Queue.End(ctx, id, "ca2", drydock.RunFailed, ""); err != nil {
		t.Fatal(err)
	}
	got, err := client.Get(ctx, "g", "contoso", "once", nil)
	if err != nil || *got.Properties.ProvisioningState != acr.ProvisioningStateFailed {
		t.Errorf("%+v: %v", got.Properties, err)
	}
	update, err := client.BeginUpdate(ctx, "g", "contoso", "once", acr.TaskRunUpdateParameters{Properties: &acr.TaskRunPropertiesUpdateParameters{
		RunRequest: &acr.FileTaskRunRequest{Type: to.Ptr("FileTaskRunRequest"), TaskFilePath: to.Ptr("acb.yaml"), Platform: linux()},
	}}, nil)
	if err != nil || count() != 3 {
		t.Fatalf("another request made %d runs: %v", count(), err)
	}
	if _, err := s.Queue.End(ctx, id, "ca3", drydock.RunSucceeded, ""); err != nil {
		t.Fatal(err)
	}
	updated, err := update.PollUntilDone(ctx, quick)
	if request, _ := updated.Properties.RunRequest.(*acr.FileTaskRunRequest); err != nil || request == nil || *updated.Properties.ForceUpdateTag != "2" {
		t.Errorf("%+v: %v", updated.Properties, err)
	}
	if page, err := client.NewListPager("g", "contoso", nil).NextPage(ctx); err != nil || len(page.Value) != 1 {
		t.Errorf("%+v: %v", page.Value, err)
	}
	gone, err := client.BeginDelete(ctx, "g", "contoso", "once", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(ctx, quick); err != nil || count() != 3 {
		t.Errorf("%d runs are left: %v", count(), err)
	}
}

// A task run and its run are stored together or not at all.
func TestTaskRunsAreWholeOrNotThere(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	path := s.Scope("g", "registries", "contoso", "taskRuns", "once").String()
	body := `{"properties":{"runRequest":{"type":"EncodedTaskRunRequest","encodedTaskContent":"eA==","platform":{"os":"Linux"}}}}`
	s.Broken(true)
	if a := s.Do(t, s.token, http.MethodPut, path, body); a.Status != http.StatusServiceUnavailable || a.Code() != "ServiceUnavailable" {
		t.Errorf("on a full disk: %d %v", a.Status, a.Body)
	}
	s.Broken(false)
	if ids, _ := s.list(t, nil); len(ids) != 0 {
		t.Errorf("there are runs of no task run: %v", ids)
	}
	if a := s.Do(t, s.token, http.MethodPut, path, body); a.Status != http.StatusOK || a.At("properties.runResult.properties.runId") != "ca1" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.token, http.MethodPut, path, strings.Replace(body, "eA==", "eB==", 1), "If-Match", "x"); a.Status != http.StatusPreconditionFailed {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if ids, _ := s.list(t, nil); len(ids) != 1 {
		t.Errorf("runs %v", ids)
	}
}

func TestAgentPools(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	ctx, client := t.Context(), s.acr.NewAgentPoolsClient()
	poller, err := client.BeginCreate(ctx, "g", "contoso", "big", acr.AgentPool{Location: to.Ptr("westeurope"), Properties: &acr.AgentPoolProperties{Count: to.Ptr[int32](4)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := poller.PollUntilDone(ctx, quick)
	if err != nil || *pool.Properties.Count != 4 || *pool.Properties.Tier != "S1" || *pool.Properties.OS != acr.OSLinux || s.Queue.Slots("big") != 4 {
		t.Errorf("%+v, %d slots: %v", pool.Properties, s.Queue.Slots("big"), err)
	}
	update, err := client.BeginUpdate(ctx, "g", "contoso", "big", acr.AgentPoolUpdateParameters{Properties: &acr.AgentPoolPropertiesUpdateParameters{Count: to.Ptr[int32](2)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if updated, err := update.PollUntilDone(ctx, quick); err != nil || *updated.Properties.Count != 2 || s.Queue.Slots("big") != 2 {
		t.Errorf("%+v, %d slots: %v", updated.Properties, s.Queue.Slots("big"), err)
	}
	s.schedule(t, "contoso", &acr.EncodedTaskRunRequest{Type: to.Ptr("EncodedTaskRunRequest"), EncodedTaskContent: to.Ptr("eA=="), Platform: linux(), AgentPoolName: to.Ptr("big")})
	if queue, err := client.GetQueueStatus(ctx, "g", "contoso", "big", nil); err != nil || *queue.Count != 1 {
		t.Errorf("%+v: %v", queue, err)
	}
	if shown, err := client.Get(ctx, "g", "contoso", "BIG", nil); err != nil || *shown.Name != "big" {
		t.Errorf("%+v: %v", shown, err)
	}
	if page, err := client.NewListPager("g", "contoso", nil).NextPage(ctx); err != nil || len(page.Value) != 1 {
		t.Errorf("%+v: %v", page.Value, err)
	}
	s.Restart(t)
	s.Queue.SetSlots(s.Scope("g", "registries", "contoso"), "big", 0)
	if err := s.Server.Resume(ctx); err != nil || s.Queue.Slots("big") != 2 {
		t.Errorf("after a restart there are %d slots: %v", s.Queue.Slots("big"), err)
	}
	gone, err := client.BeginDelete(ctx, "g", "contoso", "big", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(ctx, quick); err != nil || s.Queue.Slots("big") != 0 {
		t.Errorf("%d slots are left: %v", s.Queue.Slots("big"), err)
	}
	if waited, err := s.acr.NewRunsClient().Get(ctx, "g", "contoso", "ca1", nil); err != nil || *waited.Properties.Status != acr.RunStatusCanceled ||
		*waited.Properties.RunErrorMessage != "the agent pool 'big', which the run waited for, was deleted" {
		t.Errorf("the run that waited: %+v: %v", waited.Properties, err)
	}
	_, err = s.acr.NewRegistriesClient().BeginScheduleRun(ctx, "g", "contoso",
		&acr.EncodedTaskRunRequest{Type: to.Ptr("EncodedTaskRunRequest"), EncodedTaskContent: to.Ptr("eA=="), Platform: linux(), AgentPoolName: to.Ptr("big")}, nil)
	wantCode(t, "a pool that is not there", err, 400, "AgentPoolNotFound")
}

func TestImport(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.registry(t, "fabrikam")
	ctx, client := t.Context(), s.acr.NewRegistriesClient()
	source := s.Scope("g", "registries", "fabrikam")
	parameters := acr.ImportImageParameters{
		Source: &acr.ImportSource{ResourceID: to.Ptr(source.String()), SourceImage: to.Ptr("app:v1")},
		Mode:   to.Ptr(acr.ImportModeForce), TargetTags: []*string{to.Ptr("app:v2")}, UntaggedTargetRepositories: []*string{to.Ptr("mirror")},
	}
	poller, err := client.BeginImportImage(ctx, "g", "contoso", parameters, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.Poll(ctx); err != nil || poller.Done() {
		t.Fatalf("done before it is: %v", err)
	}
	close(s.Importer.Hold)
	if _, err := poller.PollUntilDone(ctx, quick); err != nil {
		t.Fatal(err)
	}
	done := s.Importer.Done()
	if len(done) != 1 || done[0].Source.Key() != source.Key() || done[0].Image != "app:v1" || !done[0].Force ||
		len(done[0].Tags) != 1 || len(done[0].Untagged) != 1 || done[0].Actor == "" || done[0].SourceHost != "" {
		t.Errorf("imported %+v", done)
	}
	s.Importer.Err = drydock.Errorf(drydock.Conflict, "Tag app:v2 already exists in target registry.")
	if poller, err = client.BeginImportImage(ctx, "g", "contoso", parameters, nil); err != nil {
		t.Fatal(err)
	}
	_, err = poller.PollUntilDone(ctx, quick)
	wantCode(t, "a tag that is there", err, 409, "Conflict")
	// Clients take 5xx for trouble with the question, and ask for ever.
	for _, failure := range []error{drydock.Errorf(drydock.Unavailable, "nobody listens at 127.0.0.1:9"), errors.New("nobody listens"), context.DeadlineExceeded} {
		s.Importer.Err = failure
		if poller, err = client.BeginImportImage(ctx, "g", "contoso", parameters, nil); err != nil {
			t.Fatal(err)
		}
		_, err = poller.PollUntilDone(ctx, quick)
		wantCode(t, failure.Error(), err, 400, "ImportFailed")
		var answer *azcore.ResponseError
		if errors.As(err, &answer) && answer.RawResponse.Header.Get("Retry-After") != "" {
			t.Errorf("%v: clients are told to ask again", failure)
		}
	}
	// Who may write to one registry may not thereby read another.
	contributor := s.Token(t, s.Principal(t, auth.ContributorRole, s.Scope("g", "registries", "contoso")))
	a := s.Do(t, contributor, http.MethodPost, s.Scope("g", "registries", "contoso").String()+"/importImage",
		`{"source":{"resourceId":"`+source.String()+`","sourceImage":"app:v1"}}`)
	if a.Status != 403 || !strings.Contains(a.Message(), "registries/pull/read") {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}
