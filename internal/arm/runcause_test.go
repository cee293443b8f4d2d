package arm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// past stores a run of a task that has ended, minutes after noon.
func (s *sdk) past(t *testing.T, registry drydock.ResourceID, task string, minutes int, status drydock.RunStatus, result string, trigger drydock.RunTrigger) drydock.ResourceID {
	t.Helper()
	text, err := json.Marshal(trigger)
	if err != nil {
		t.Fatal(err)
	}
	at := noon.Add(time.Duration(minutes) * time.Minute)
	r, err := s.Store.CreateRun(t.Context(), drydock.RunRecord{Registry: registry, Task: task, Trigger: text, Created: at})
	if err == nil {
		_, err = s.Store.UpdateRun(t.Context(), registry, r.ID, func(r *drydock.RunRecord) error {
			r.Status, r.Started, r.Finished = status, at, at.Add(time.Minute)
			if result != "" {
				r.Result = []byte(result)
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return registry.Child("runs", r.ID)
}

func updated(minutes int, event int64, by, image, before, now string, run drydock.ResourceID, notes ...string) drydock.RunTrigger {
	cause := drydock.CauseImage{Image: image, Previous: before, Digest: now}
	if run.Subscription != "" {
		cause.Run = run.String()
	}
	return drydock.RunTrigger{Image: &drydock.ImageUpdateTrigger{}, Cause: &drydock.RunCause{
		Event: event, Time: noon.Add(time.Duration(minutes) * time.Minute), By: by, Image: []drydock.CauseImage{cause}, Notes: notes,
	}}
}

func explanation(a any) string {
	lines := []string{}
	list, _ := a.([]any)
	for _, line := range list {
		lines = append(lines, fmt.Sprint(line))
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestWhyARunRan(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "public")
	s.registry(t, "contoso")
	public, contoso := s.Scope("g", "registries", "public"), s.Scope("g", "registries", "contoso")
	who, _, err := s.Directory.Create(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(drydock.RegistryEvent{Repository: "node", Tag: "20", Digest: digest("2"), Actor: who.ID})
	if err != nil {
		t.Fatal(err)
	}
	push, err := s.Store.AppendEvent(t.Context(), drydock.Event{ID: "push", Kind: drydock.PushEvent, Subject: public, Data: data, Time: noon})
	if err != nil {
		t.Fatal(err)
	}
	first := s.past(t, public, "base", 1, drydock.RunSucceeded, "", updated(0, push.Number, "node:20 points at another image", "public.test/node:20", digest("1"), digest("2"), drydock.ResourceID{}))
	second := s.past(t, contoso, "middle", 2, drydock.RunSucceeded, "", updated(2, 0, "run ca1 in registry public pushed public.test/base:1", "public.test/base:1", "", digest("4"), first))
	last := s.past(t, contoso, "app", 3, drydock.RunFailed,
		`{"runErrorMessage":"step test: exit status 1","outputImages":[{"registry":"contoso.test","repository":"app","tag":"ca2","digest":"`+digest("7")+`"}]}`,
		updated(3, 0, "run ca1 in registry contoso pushed contoso.test/middle:1", "contoso.test/middle:1", digest("5"), digest("6"), second, "task other, which this one builds on, failed"))
	a := s.Do(t, s.token, http.MethodGet, last.String()+"/cause", "")
	if a.Status != 200 {
		t.Fatal(a.Body)
	}
	want := `Run ca2 of task app in registry contoso: Failed
Trigger: Image Update. At 2026-03-04 12:03:00 UTC run ca1 in registry contoso pushed contoso.test/middle:1.

Base images that changed:
  contoso.test/middle:1
    before  ` + digest("5") + `
    now     ` + digest("6") + `
    pushed by run ca1 of task middle in registry contoso

How it came to this:
  2026-03-04 12:01:00 UTC  public/ca1 (base)  Succeeded
    At 2026-03-04 12:00:00 UTC node:20 points at another image, by alice.
  2026-03-04 12:02:00 UTC  contoso/ca1 (middle)  Succeeded
    At 2026-03-04 12:02:00 UTC run ca1 in registry public pushed public.test/base:1.
  2026-03-04 12:03:00 UTC  contoso/ca2 (app)  Failed
    At 2026-03-04 12:03:00 UTC run ca1 in registry contoso pushed contoso.test/middle:1.

Notes:
  task other, which this one builds on, failed

How it ended:
  step test: exit status 1

What it pushed:
  contoso.test/app:ca2  ` + digest("7") + "\n"
	if d := cmp.Diff(want, explanation(a.Body["explanation"])); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	chain, _ := a.Body["chain"].([]any)
	if len(chain) != 2 {
		t.Fatalf("the chain is %v", chain)
	}
	oldest := chain[0].(map[string]any)
	if oldest["id"] != first.String() || fmt.Sprint(oldest["event"].(map[string]any)["by"]) != "alice" || oldest["trigger"] != "Image Update" {
		t.Errorf("the first is %v", oldest)
	}

	// What may not be read is not told.
	reader := s.Token(t, s.Principal(t, auth.ReaderRole, contoso))
	a = s.Do(t, reader, http.MethodGet, second.String()+"/cause", "")
	text, err := json.Marshal(a.Body)
	if err != nil || a.Status != 200 || strings.Contains(string(text), "registries/public") || !strings.Contains(string(text), "pushed by a run that can't be shown") {
		t.Errorf("%d %s", a.Status, text)
	}
	if a := s.Do(t, reader, http.MethodGet, first.String()+"/cause", ""); a.Status != 403 {
		t.Error(a.Status)
	}
}

func TestWhyOtherRunsRan(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	for _, c := range []struct {
		trigger drydock.RunTrigger
		want    string
	}{
		{drydock.RunTrigger{Timer: &drydock.TimerTriggerDescriptor{Name: "t1", Occurrence: "2026-03-04T11:00:00Z"}, Cause: &drydock.RunCause{By: "timer t1 (0 * * * *)", Notes: []string{"Twice."}}}, "Trigger: Timer. The timer t1 (0 * * * *) was due at 2026-03-04T11:00:00Z."},
		{drydock.RunTrigger{Source: &drydock.SourceTriggerDescriptor{EventType: "Commit", CommitID: strings.Repeat("ab", 20), BranchName: "main", RepositoryURL: "https://git.test/a"}}, "Trigger: Commit. The commit abababababab on the branch main of https://git.test/a."},
		{drydock.RunTrigger{Source: &drydock.SourceTriggerDescriptor{EventType: "Pull Request", CommitID: "abc", PullRequestID: "7", RepositoryURL: "https://git.test/a"}, Cause: &drydock.RunCause{By: "bob"}}, "Trigger: Pull Request. The pull request 7 at the commit abc on https://git.test/a (bob)."},
		{drydock.RunTrigger{}, "Trigger: Manual. Somebody asked for it at 2026-03-04 12:00:00 UTC."},
	} {
		run := s.past(t, id.Parent(), "nightly", 0, drydock.RunSucceeded, "", c.trigger)
		a := s.Do(t, s.token, http.MethodGet, run.String()+"/cause", "")
		lines, _ := a.Body["explanation"].([]any)
		if a.Status != 200 || len(lines) < 2 || lines[1] != c.want {
			t.Errorf("%d %v, want %s", a.Status, lines, c.want)
		}
	}
}

// A run that somebody asks for says who, and is still a manual one.
func TestWhyAManualRunRan(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	run := s.schedule(t, "contoso", &acr.TaskRunRequest{Type: ptr("TaskRunRequest"), TaskID: ptr(id.String())})
	if run.Properties.ImageUpdateTrigger != nil || run.Properties.TimerTrigger != nil || run.Properties.SourceTrigger != nil {
		t.Errorf("%+v", run.Properties)
	}
	a := s.Do(t, s.token, http.MethodGet, *run.ID+"/cause", "")
	text := explanation(a.Body["explanation"])
	if a.Body["trigger"] != "Manual" || !strings.Contains(text, "It was asked for by ") || !strings.Contains(text, "It is queued: 0 runs wait before it, 0 runs go on.") {
		t.Errorf("%v\n%s", a.Body, text)
	}
}

func ptr[T any](v T) *T { return &v }
