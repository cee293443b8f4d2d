package notify_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/notify"
)

// updates tells the endpoints of tasks in a world.
func (w *world) updates() *notify.Updates {
	return &notify.Updates{
		Runs: w.store, Outbox: w.follower.Outbox, LoginServer: w.follower.LoginServer, Log: slog.New(slog.DiscardHandler),
	}
}

// updated stores a run of the task app, made by images, and tells of it.
func (w *world) updated(u *notify.Updates, tell, token string, trigger drydock.RunTrigger) drydock.RunRecord {
	w.t.Helper()
	r := w.taskRun(tell, token, drydock.AutoBuild, trigger)
	if err := u.Tell(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) taskRun(tell, token string, kind drydock.RunType, trigger drydock.RunTrigger) drydock.RunRecord {
	w.t.Helper()
	request, err := json.Marshal(drydock.RunRequest{TellUpdates: tell, UpdateTriggerToken: token})
	if err != nil {
		w.t.Fatal(err)
	}
	why, err := json.Marshal(trigger)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.store.CreateRun(w.t.Context(), drydock.RunRecord{Registry: w.registry, Task: "app", Type: kind, Request: request, Trigger: why})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func byImage(tags ...string) drydock.RunTrigger {
	t := drydock.RunTrigger{Image: &drydock.ImageUpdateTrigger{ID: "trigger-id"}}
	for _, tag := range tags {
		t.Image.Images = append(t.Image.Images, drydock.ImageDescriptor{
			Type: drydock.RuntimeBase, Registry: "registry.hub.docker.com", Repository: "library/node", Tag: tag, Digest: "sha256:" + tag,
		})
	}
	return t
}

// count returns how many messages there are for a task.
func (w *world) count(task drydock.ResourceID) int {
	w.t.Helper()
	all, err := w.follower.Outbox.Sent(w.t.Context(), task, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all)
}

func TestImageUpdateMessages(t *testing.T) {
	t.Parallel()
	const whole = `{
  "id": "ID",
  "timestamp": "NOW",
  "action": "image_update",
  "registry": "contoso.azurecr.test",
  "taskId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso/tasks/app",
  "taskName": "app",
  "runId": "ca3",
  "images": [
    {
      "type": "Runtime",
      "registry": "registry.hub.docker.com",
      "repository": "library/node",
      "tag": "15",
      "digest": "sha256:15"
    }
  ],
  "updateTriggerToken": "dG9rZW4="
}`
	const token = `{
  "updateTriggerToken": "dG9rZW4="
}`
	for payload, want := range map[string]string{"Default": whole, "Token": token} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			task := w.registry.Child("tasks", "app")
			w.put(task)
			// The newest run that was asked for with a token counts.
			w.taskRun("", "dG9rZW4=", drydock.QuickBuild, drydock.RunTrigger{})
			w.taskRun("", "", drydock.QuickBuild, drydock.RunTrigger{})
			w.updated(w.updates(), payload, "", byImage("15"))
			got := w.only(task)
			var read struct{ Timestamp string }
			if err := json.Unmarshal([]byte(got), &read); err != nil {
				t.Fatal(err)
			}
			if read.Timestamp != "" {
				got = strings.Replace(got, read.Timestamp, "NOW", 1)
			}
			wantText(t, got, want)
		})
	}
}

func TestWhatEndpointsAreNotToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	task := w.registry.Child("tasks", "app")
	w.put(task)
	u := w.updates()
	w.updated(u, "", "", byImage("15")) // there is no endpoint
	w.updated(u, "Default", "", drydock.RunTrigger{Timer: &drydock.TimerTriggerDescriptor{Name: "t"}})
	w.updated(u, "Default", "", drydock.RunTrigger{})
	if n := w.count(task); n != 0 {
		t.Errorf("%d messages", n)
	}
	r := w.updated(u, "Default", "", byImage("15"))
	if err := u.Tell(t.Context(), r); err != nil { // twice
		t.Fatal(err)
	}
	if n := w.count(task); n != 1 {
		t.Errorf("%d messages of one update", n)
	}
	// Nothing that is wrong here keeps the run from being made.
	if err := u.Tell(t.Context(),
		drydock.RunRecord{Registry: w.registry, Task: "gone", Request: r.Request, Trigger: r.Trigger},
		drydock.RunRecord{Registry: w.registry, Task: "app", Request: []byte(`{"TellUpdates":7}`), Trigger: r.Trigger},
		drydock.RunRecord{Registry: w.registry, Task: "app", Request: r.Request, Trigger: []byte("{")},
	); err != nil {
		t.Error(err)
	}
}

// An image that changes while a run waits, also one that somebody asked for, is
// told of too.
func TestImagesThatJoinARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	task := w.registry.Child("tasks", "app")
	w.put(task)
	u := w.updates()
	asked := w.taskRun("Default", "", drydock.QuickBuild, drydock.RunTrigger{})
	joined := asked
	var err error
	if joined.Trigger, err = json.Marshal(drydock.RunTrigger{Cause: &drydock.RunCause{
		Image: []drydock.CauseImage{{Image: "docker.io/library/node:15", Digest: "sha256:15"}},
	}}); err != nil {
		t.Fatal(err)
	}
	noted := joined
	if noted.Trigger, err = json.Marshal(drydock.RunTrigger{Cause: &drydock.RunCause{
		Image: []drydock.CauseImage{{Image: "docker.io/library/node:15", Digest: "sha256:15"}}, Notes: []string{"a note"},
	}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before, after drydock.RunRecord
		want          bool
	}{{asked, joined, true}, {joined, noted, false}, {joined, joined, false}, {joined, asked, true}} {
		if got := u.Changed(c.before, c.after); got != c.want {
			t.Errorf("%s to %s: changed %v", c.before.Trigger, c.after.Trigger, got)
		}
	}
	if err := u.Tell(t.Context(), joined); err != nil {
		t.Fatal(err)
	}
	var m struct{ Images []drydock.ImageDescriptor }
	if err := json.Unmarshal([]byte(w.only(task)), &m); err != nil || fmt.Sprint(m.Images) != "[{ registry.hub.docker.com library/node 15 sha256:15}]" {
		t.Error(m.Images, err)
	}
	w.updated(u, "Default", "", byImage("15"))
	w.updated(u, "Default", "", byImage("15", "16"))
	if n := w.count(task); n != 3 {
		t.Errorf("%d messages of three updates", n)
	}
}
