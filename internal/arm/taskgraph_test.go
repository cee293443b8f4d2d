package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

func image(t *testing.T, name string) drydock.ImageName {
	t.Helper()
	n, err := drydock.ParseImageName(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

// tasked makes a task of a registry, of taskBody with a part replaced.
func (s *sdk) tasked(t *testing.T, registry, name, old, with string) drydock.ResourceID {
	t.Helper()
	id := s.Scope("g", "registries", registry, "tasks", name)
	if a := s.Do(t, s.token, http.MethodPut, id.String(), strings.Replace(taskBody, old, with, 1)); a.Status != 200 {
		t.Fatal(a.Body)
	}
	return id
}

// knows says what a task is built from and pushes.
func (s *sdk) knows(t *testing.T, known drydock.TaskImages) {
	t.Helper()
	known.Trigger = drydock.RuntimeImages
	if err := s.Store.PutTaskImages(t.Context(), known); err != nil {
		t.Fatal(err)
	}
}

// dependencies returns the documents of tasks by their names.
func (s *sdk) dependencies(t *testing.T, token, path string) map[string]map[string]any {
	t.Helper()
	a := s.Do(t, token, http.MethodGet, path+"/taskDependencies", "")
	values, ok := a.Body["value"].([]any)
	if a.Status != 200 || !ok {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	found := map[string]map[string]any{}
	for _, v := range values {
		doc := v.(map[string]any)
		found[doc["name"].(string)] = doc
	}
	return found
}

func TestDependenciesOfTasks(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "public")
	s.registry(t, "contoso")
	base := s.tasked(t, "public", "base", "", "")
	app := s.tasked(t, "contoso", "app", `"name":"t1","schedule":"0 21 * * *"`, `"name":"t1","schedule":"0 21 * * *","status":"Disabled"`)
	s.tasked(t, "contoso", "off", `"status":"Enabled"`, `"status":"Disabled"`)
	s.tasked(t, "contoso", "plain", `,
		"baseImageTrigger":{"name":"defaultBaseimageTriggerName","baseImageTriggerType":"Runtime"}`, "")
	s.tasked(t, "contoso", "new", "", "")
	broken := s.tasked(t, "contoso", "broken", "", "")

	node := image(t, "public.test/node:20")
	pinned := image(t, "alpine@"+digest("9"))
	s.knows(t, drydock.TaskImages{Task: base, Learnt: 3, Outputs: []drydock.ImageName{node}, Bases: []drydock.BaseImage{{Image: pinned, Kind: drydock.RuntimeBase}}})
	s.knows(t, drydock.TaskImages{Task: app, Learnt: 7, Bases: []drydock.BaseImage{
		{Image: node, Kind: drydock.RuntimeBase, Digest: digest("1")}, {Image: image(t, "golang:1.26"), Kind: drydock.BuildTimeBase, Digest: digest("5")},
	}})
	s.knows(t, drydock.TaskImages{Task: broken, Problem: "the repository can't be read", Armed: time.Now()})
	for _, state := range []drydock.ImageState{
		{Image: node, Digest: digest("1")},
		{Image: node, Digest: digest("2"), Previous: digest("1"), Changed: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Run: base.Parent().Child("runs", "ca3")},
	} {
		if _, err := s.Store.PutImageState(t.Context(), state); err != nil {
			t.Fatal(err)
		}
	}

	all := s.dependencies(t, s.token, "/subscriptions/"+s.Subscription+"/providers/Microsoft.ContainerRegistry")
	for name, want := range map[string]string{
		"base": `false it is pinned to a digest: no push changes what it means`, "app": "true ", "off": "false the task is disabled",
		"plain": "false it has no base image trigger", "new": "false nothing is known of its base images yet",
		"broken": "false what it is built from can't be told before its first run: the repository can't be read",
	} {
		reason, _ := all[name]["reason"].(string)
		if got := fmt.Sprint(all[name]["armed"], " ", reason); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	doc := all["app"]
	if doc["due"] != true || doc["stale"] != true || doc["registry"] != "contoso" || doc["learntFrom"] != "ca7" || doc["paused"] != false {
		t.Errorf("%v", doc)
	}
	bases := doc["baseImages"].([]any)
	if len(bases) != 2 {
		t.Fatal(bases)
	}
	golang, from := bases[0].(map[string]any), bases[1].(map[string]any)
	if golang["watched"] != false || golang["note"] == nil || golang["type"] != "BuildTime" {
		t.Errorf("%v", golang)
	}
	if from["image"] != "public.test/node:20" || from["digest"] != digest("1") || from["currentDigest"] != digest("2") || from["previousDigest"] != digest("1") ||
		from["watched"] != true || from["stale"] != true || from["due"] != true || from["changed"] != "2026-03-04T05:06:07.0000000Z" ||
		!strings.HasSuffix(fmt.Sprint(from["run"]), "/public/runs/ca3") || !strings.HasSuffix(fmt.Sprint(from["producers"]), "/public/tasks/base]") {
		t.Errorf("%v", from)
	}
	if timers := fmt.Sprint(doc["timerTriggers"]); timers != "[map[name:t1 schedule:0 21 * * * status:Disabled]]" {
		t.Error(timers)
	}
	if timers := fmt.Sprint(all["new"]["timerTriggers"]); !strings.Contains(timers, "nextOccurrence:") || !strings.Contains(timers, "T21:00:00") {
		t.Error(timers)
	}
	if sources := fmt.Sprint(doc["sourceTriggers"]); !strings.Contains(sources, "repositoryUrl:https://github.com/acme/app.git#main") || strings.Contains(sources, "hush") {
		t.Error(sources)
	}

	if from["problem"] != nil {
		t.Errorf("a tag that is there: %v", from["problem"])
	}

	// A tag that was deleted makes nothing stale, and is told.
	gone := drydock.ImageState{Image: node, Previous: digest("2"), Changed: time.Date(2026, 3, 4, 6, 0, 0, 0, time.UTC)}
	if _, err := s.Store.PutImageState(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	deleted := s.dependencies(t, s.token, app.Parent().String())["app"]["baseImages"].([]any)[1].(map[string]any)
	if deleted["problem"] != "the tag was deleted" || deleted["currentDigest"] != nil || deleted["stale"] != false {
		t.Errorf("%v", deleted)
	}

	// Who may read one registry sees its tasks, and nothing of others.
	reader := s.Token(t, s.Principal(t, auth.ReaderRole, app.Parent()))
	seen := s.dependencies(t, reader, "/subscriptions/"+s.Subscription+"/providers/Microsoft.ContainerRegistry")
	from = seen["app"]["baseImages"].([]any)[1].(map[string]any)
	if len(seen) != 5 || from["run"] != nil || fmt.Sprint(from["producers"]) != "[]" {
		t.Errorf("a reader sees %d tasks and %v", len(seen), from)
	}
	if a := s.Do(t, reader, http.MethodGet, base.Parent().String()+"/taskDependencies", ""); a.Status != 403 {
		t.Errorf("a reader of another registry: %d", a.Status)
	}
	if one := s.dependencies(t, s.token, base.Parent().String()); len(one) != 1 {
		t.Errorf("the registry public has %d tasks", len(one))
	}
}

func TestTaskShowsItsBaseImages(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	s.knows(t, drydock.TaskImages{Task: id, Bases: []drydock.BaseImage{
		{Image: image(t, "node:20"), Kind: drydock.RuntimeBase, Digest: digest("1")}, {Image: image(t, "x.test/a@"+digest("2")), Kind: drydock.BuildTimeBase},
	}})
	shown, err := s.acr.NewTasksClient().GetDetails(t.Context(), "g", "contoso", "nightly", nil)
	if err != nil {
		t.Fatal(err)
	}
	found := shown.Properties.Step.GetTaskStepProperties().BaseImageDependencies
	if len(found) != 2 || *found[0].Type != "Runtime" || *found[0].Registry != "registry.hub.docker.com" || *found[0].Repository != "library/node" ||
		*found[0].Tag != "20" || *found[0].Digest != digest("1") || found[1].Tag != nil || *found[1].Digest != digest("2") {
		t.Errorf("%+v", found)
	}
	// What a client sends back is not what it has set.
	a := s.Do(t, s.token, http.MethodPut, id.String(), strings.Replace(taskBody, `"type":"FileTask"`, `"type":"FileTask","baseImageDependencies":[{"type":"Runtime"}]`, 1))
	stored, err := s.Store.Resource(t.Context(), id)
	if err != nil || a.Status != 200 || strings.Contains(string(stored.Body), "baseImageDependencies") {
		t.Errorf("%d %s %v", a.Status, stored.Body, err)
	}
}

func TestTriggersOfARegistryAreHeld(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	registry := id.Parent()
	paused := func(what string, want bool) {
		t.Helper()
		triggers, err := s.Server.Triggers(t.Context(), id)
		if err != nil || triggers.Paused != want {
			t.Errorf("%s: paused %t, %v", what, triggers.Paused, err)
		}
	}
	a := s.Do(t, s.token, http.MethodGet, registry.String(), "")
	if a.At("properties.taskTriggers.status") != "Enabled" {
		t.Errorf("%v", a.At("properties.taskTriggers"))
	}
	patch := func(status string) int {
		t.Helper()
		return s.Do(t, s.token, http.MethodPatch, registry.String(), `{"properties":{"taskTriggers":{"status":"`+status+`"}}}`).Status
	}
	if got := patch("Paused"); got != 200 {
		t.Fatal(got)
	}
	paused("held", true)
	// Clients that know nothing of it leave it alone.
	s.Do(t, s.token, http.MethodPatch, registry.String(), `{"properties":{"adminUserEnabled":true}}`)
	s.Do(t, s.token, http.MethodPut, registry.String(), `{"location":"westeurope","sku":{"name":"Basic"},"properties":{"adminUserEnabled":true}}`)
	paused("written by others", true)
	if got := patch("Stopped"); got != 400 {
		t.Error(got)
	}
	if got := patch("Enabled"); got != 200 {
		t.Error(got)
	}
	paused("let go", false)
}
