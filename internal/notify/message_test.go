package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
)

// only returns the only message of a webhook, without its id, as indented JSON.
func (w *world) only(owner drydock.ResourceID) string {
	w.t.Helper()
	all, err := w.follower.Outbox.Sent(w.t.Context(), owner, 10)
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d messages: %v", len(all), err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, all[0].Body, "", "  "); err != nil {
		w.t.Fatal(err)
	}
	return strings.Replace(b.String(), all[0].ID, "ID", 1)
}

func wantText(t *testing.T, got, want string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestPushMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := w.hook("one", "", "push", "delete")
	w.handle(drydock.PushEvent, "e1", drydock.RegistryEvent{
		Repository: "hello-world", Tag: "v1", Digest: "sha256:80f0", MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 524, Agent: "docker/29",
	})
	wantText(t, w.only(hook), `{
  "id": "ID",
  "timestamp": "2026-03-04T05:06:07.000000008Z",
  "action": "push",
  "target": {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "size": 524,
    "digest": "sha256:80f0",
    "length": 524,
    "repository": "hello-world",
    "tag": "v1"
  },
  "request": {
    "id": "e1",
    "host": "contoso.azurecr.test",
    "method": "PUT",
    "useragent": "docker/29"
  }
}`)
}

func TestDeleteMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := w.hook("one", "", "delete")
	w.handle(drydock.PushEvent, "e0", drydock.RegistryEvent{Repository: "hello-world", Digest: "sha256:80f0"})
	w.handle(drydock.UntagEvent, "e1", drydock.RegistryEvent{Repository: "hello-world", Tag: "v1", Digest: "sha256:80f0"})
	w.handle(drydock.DeleteEvent, "e2", drydock.RegistryEvent{
		Repository: "hello-world", Digest: "sha256:80f0", MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 524,
	})
	wantText(t, w.only(hook), `{
  "id": "ID",
  "timestamp": "2026-03-04T05:06:07.000000008Z",
  "action": "delete",
  "target": {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "digest": "sha256:80f0",
    "repository": "hello-world"
  },
  "request": {
    "id": "e2",
    "host": "contoso.azurecr.test",
    "method": "DELETE"
  }
}`)
}

// run stores a run that has ended, and lets its event be handled.
func (w *world) run(r drydock.RunRecord) {
	w.t.Helper()
	r.Registry, r.Created = w.registry, time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	stored, err := w.store.CreateRun(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.store.UpdateRun(w.t.Context(), w.registry, stored.ID, func(ended *drydock.RunRecord) error {
		ended.Status, ended.Result = r.Status, r.Result
		ended.Started, ended.Finished = r.Created.Add(time.Second), r.Created.Add(time.Minute)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.handle(drydock.RunEndedEvent, "end of "+stored.ID, drydock.RunEvent{Run: stored.ID, Task: r.Task, Status: r.Status})
}

func TestRunMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := w.hook("one", "", "run")
	trigger, err := json.Marshal(drydock.RunTrigger{
		Image: &drydock.ImageUpdateTrigger{}, Cause: &drydock.RunCause{
			Event: 3, Time: time.Date(2026, 3, 4, 4, 0, 0, 0, time.UTC), By: "node:20 points at another image",
			Image: []drydock.CauseImage{{Image: "docker.io/library/node:20", Previous: "sha256:1", Digest: "sha256:2"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.run(drydock.RunRecord{
		Task: "hello", Status: drydock.RunFailed, Type: drydock.AutoBuild, Trigger: trigger,
		Result: []byte(`{"runErrorMessage":"step test: exit status 1.","outputImages":[{"registry":"contoso.azurecr.test","repository":"hello","tag":"ca1","digest":"sha256:3"}]}`),
	})
	wantText(t, w.only(hook), `{
  "id": "ID",
  "timestamp": "2026-03-04T05:06:07.000000008Z",
  "action": "run",
  "text": "Run ca1 of task hello in contoso.azurecr.test: Failed, step test: exit status 1 (Image Update of docker.io/library/node:20).",
  "target": {
    "digest": "sha256:3",
    "repository": "hello",
    "tag": "ca1"
  },
  "request": {
    "id": "end of ca1",
    "host": "contoso.azurecr.test"
  },
  "run": {
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso/runs/ca1",
    "runId": "ca1",
    "registry": "contoso.azurecr.test",
    "task": "hello",
    "status": "Failed",
    "runType": "AutoBuild",
    "trigger": "Image Update",
    "createTime": "2026-03-04T05:00:00Z",
    "startTime": "2026-03-04T05:00:01Z",
    "finishTime": "2026-03-04T05:01:00Z",
    "runErrorMessage": "step test: exit status 1.",
    "outputImages": [
      {
        "registry": "contoso.azurecr.test",
        "repository": "hello",
        "tag": "ca1",
        "digest": "sha256:3"
      }
    ],
    "cause": {
      "event": 3,
      "time": "2026-03-04T04:00:00Z",
      "by": "node:20 points at another image",
      "images": [
        {
          "image": "docker.io/library/node:20",
          "previous": "sha256:1",
          "digest": "sha256:2"
        }
      ]
    }
  }
}`)
}

func TestWhoIsToldOfRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hooks := map[string]drydock.ResourceID{
		"all": w.hook("all", "", "run"), "failed": w.hook("failed", "", "run_failed"), "push": w.hook("pushes", "", "push"),
		"hello": w.hook("hello", "hello:*", "run"), "other": w.hook("other", "other", "run", "run_failed"),
	}
	want := map[string]int{}
	check := func(what string, r drydock.RunRecord, told ...string) {
		t.Helper()
		w.run(r)
		for _, name := range told {
			want[name]++
		}
		for name, id := range hooks {
			if got := len(w.sent(id)); got != want[name] {
				t.Errorf("%s: %s has %d messages, want %d", what, name, got, want[name])
				want[name] = got
			}
		}
	}
	pushed := []byte(`{"outputImages":[{"registry":"contoso.azurecr.test","repository":"hello","tag":"1"},{"registry":"elsewhere.test","repository":"other","tag":"latest"}]}`)
	check("a run that pushed", drydock.RunRecord{Status: drydock.RunSucceeded, Result: pushed}, "all", "hello")
	check("one that pushed nothing", drydock.RunRecord{Status: drydock.RunSucceeded}, "all")
	check("one that was canceled", drydock.RunRecord{Status: drydock.RunCanceled}, "all", "hello", "other")
	check("one that failed before it pushed", drydock.RunRecord{Status: drydock.RunFailed}, "all", "failed", "hello", "other")
	check("a build that failed", drydock.RunRecord{
		Status: drydock.RunTimeout, Request: []byte(`{"Kind":"DockerBuildRequest","Images":["other","more:{{.Run.ID}}"]}`),
	}, "all", "failed", "other")
	check("a build whose tag is made of its id", drydock.RunRecord{
		Status: drydock.RunError, Request: []byte(`{"Kind":"DockerBuildRequest","Images":["hello:{{.Run.ID}}"]}`),
	}, "all", "failed", "hello")
}

func TestMessagesComeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook, disabled, outside := w.hook("one", "", "push"), w.hook("off", "", "push"), w.hook("out", "hello:2", "push")
	w.hooks[1].Enabled = false
	w.push("1")
	w.push("1")
	same(t, "delivered twice", w.sent(hook), []string{"push 1 waits 0"})
	same(t, "disabled", w.sent(disabled), nil)
	same(t, "out of scope", w.sent(outside), nil)
	if err := w.store.DeleteResource(t.Context(), hook); err != nil {
		t.Fatal(err)
	}
	w.push("2") // its webhook is known, and gone
	same(t, "in scope", w.sent(outside), []string{"push 2 waits 0"})
}

func TestHeadersOfMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hook := w.hook("one", "", "push")
		w.target("one", drydock.DeliveryTarget{
			URL: "https://user:hush@one.test/hush?token=hush", Secret: "key",
			Headers: map[string]string{"authorization": "hush", "Content-Type": "application/cloudevents+json", "X-Team": "a"},
		})
		w.setAnswer(func(r *http.Request, _ []byte) (*http.Response, error) {
			return respond(202, strings.Repeat("ü", 3000), "X-Request-Id", "7", "Set-Cookie", "a=b")
		})
		stop := w.start()
		w.push("1")
		synctest.Wait()
		stop()
		got := w.taken()[0]
		all, err := w.follower.Outbox.Sent(t.Context(), hook, 1)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/cloudevents+json", "Authorization": "hush", "X-Team": "a", "User-Agent": "drydock",
			"X-Drydock-Event": "push", "X-Drydock-Delivery": all[0].ID, "X-Drydock-Attempt": "1", "X-Hub-Signature-256": signed("key", got.body),
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
			}
		}
		last := all[0].Last
		if strings.Contains(fmt.Sprint(last), "hush") || last.Headers["Authorization"] != "***" || last.Headers["X-Drydock-Event"] != "push" {
			t.Errorf("noted %v", last.Headers)
		}
		if last.Status != 202 || last.Reason != "Accepted" || last.Version != "1.1" || last.Answered["X-Request-Id"] != "7" || last.Answered["Set-Cookie"] != "" || len(last.Content) > 2100 {
			t.Errorf("noted %+v", last)
		}
	})
}

// What is stored can't be read from the database alone.
func TestMessagesAreSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := w.hook("one", "", "push")
	w.push("1")
	stored, err := w.store.Deliveries(t.Context(), hook, 1)
	if err != nil || bytes.Contains(stored[0].Body, []byte("hello")) {
		t.Errorf("%q %v", stored[0].Body, err)
	}
}
