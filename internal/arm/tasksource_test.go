package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
)

const sourceTask = `{"location":"westeurope","properties":{
	"step":{"type":"FileTask","taskFilePath":"acr-task.yaml","contextPath":"https://git.example/a/b.git#main","contextAccessToken":"of-the-context"},
	"trigger":{"sourceTriggers":[%s]}}}`

const sourceTriggerBody = `{"name":"src","sourceTriggerEvents":["commit","pullrequest"],"paths":["api/**","!docs"],"cancelSuperseded":true,"forkSecrets":true,
	"sourceRepository":{"sourceControlType":"VisualStudioTeamService","repositoryUrl":"https://git.example/a/b.git#main","branch":"release/*"%s}}`

func TestSourceTriggers(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	put := func(trigger string) (code, target string) {
		t.Helper()
		a := s.Do(t, s.token, http.MethodPut, id.String(), fmt.Sprintf(sourceTask, trigger))
		target, _ = a.At("error.target").(string)
		return a.Code(), target
	}
	auth := `,"sourceControlAuthProperties":{"tokenType":"PAT","token":"of-the-trigger"}`
	if code, target := put(fmt.Sprintf(sourceTriggerBody, auth)); code != "" {
		t.Fatal(code, target)
	}
	want := drydock.SourceTrigger{
		Name: "src", Enabled: true, Repository: "https://git.example/a/b.git#main", Branch: "release/*", Paths: []string{"api/**", "!docs"},
		Commit: true, Pull: true, Token: "of-the-trigger", ForkSecrets: true, CancelSuperseded: true,
	}
	triggers := func(want drydock.SourceTrigger) {
		t.Helper()
		got, err := s.Server.Triggers(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]drydock.SourceTrigger{want}, got.Source); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	triggers(want)
	// Without a token of its own it has that of the context, of the same repository only.
	put(fmt.Sprintf(sourceTriggerBody, ""))
	want.Token = "of-the-context"
	triggers(want)
	put(strings.Replace(fmt.Sprintf(sourceTriggerBody, ""), "a/b.git", "a/c.git", 1))
	want.Token, want.Repository = "", "https://git.example/a/c.git#main"
	triggers(want)
	for body, where := range map[string]string{
		strings.Replace(sourceTriggerBody, "api/**", "[", 1):                                     "properties.trigger.sourceTriggers[0]",
		strings.Replace(sourceTriggerBody, "release/*", "[", 1):                                  "properties.trigger.sourceTriggers[0]",
		strings.Replace(sourceTriggerBody, `"api/**"`, "7", 1):                                   "properties.trigger.sourceTriggers[0].paths[0]",
		strings.Replace(sourceTriggerBody, `"cancelSuperseded":true`, `"cancelSuperseded":1`, 1): "properties.trigger.sourceTriggers[0].cancelSuperseded",
		strings.Replace(sourceTriggerBody, `"forkSecrets":true`, `"forkSecrets":"x"`, 1):         "properties.trigger.sourceTriggers[0].forkSecrets",
		sourceTriggerBody + "," + strings.Replace(sourceTriggerBody, "%s", "", 1):                "properties.trigger.sourceTriggers[1].name",
	} {
		if code, target := put(strings.Replace(body, "%s", "", 1)); code == "" || target != where {
			t.Errorf("%s: %s about %s", body, code, target)
		}
	}
}

// How a repository is watched shows with what is armed.
func TestSourceWatchesShow(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	s.Do(t, s.token, http.MethodPut, id.String(), fmt.Sprintf(sourceTask, strings.Replace(sourceTriggerBody, "%s", "", 1)))
	day := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for i, state := range []drydock.SourceWatchState{drydock.WatchRemoving, drydock.WatchPolling} {
		w := drydock.SourceWatch{
			ID: fmt.Sprint(i), Task: id, Trigger: "src", State: state, Provider: "Gitea", Problem: "no token", Failure: "away", Looked: day,
		}
		if state == drydock.WatchRemoving {
			w.Problem = "old"
		}
		if _, err := s.Store.PutSourceWatch(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	sources := s.dependencies(t, s.token, "/subscriptions/"+s.Subscription+"/providers/Microsoft.ContainerRegistry")[id.Name()]["sourceTriggers"].([]any)
	doc := sources[0].(map[string]any)
	if doc["watch"] != "Polling" || doc["provider"] != "Gitea" || doc["problem"] != "no token" || doc["failure"] != "away" ||
		doc["checked"] != "2026-03-04T05:06:07.0000000Z" || doc["delivered"] != nil {
		t.Errorf("%v", doc)
	}
}
