package serve_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// elsewhere is a registry that lets nobody in who has no password.
func elsewhere(t *testing.T) *registry.Registry {
	t.Helper()
	return registry.Start(t, registry.Options{Users: map[string]string{"ci": "ci-password", "reader": "hush-reader"}, Tokens: true})
}

// move points a tag of another registry at an image like no other, and returns
// its digest.
func move(t *testing.T, r *registry.Registry, image, label string) string {
	t.Helper()
	img, err := images.Get(t.Context(), images.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	changed := config.Config
	changed.Labels = map[string]string{"version": label}
	if img, err = mutate.Config(img, changed); err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(r.Host + "/" + image)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: "ci", Password: "ci-password"}), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// privateTask makes a task that builds on an image of a registry that it has a
// credential for, and that tells an endpoint of updates if there is one.
func privateTask(a *serve.Azure, t *testing.T, task, image string, r *registry.Registry, endpoint *string) {
	t.Helper()
	opaque := func(value string) *armcontainerregistry.SecretObject {
		return &armcontainerregistry.SecretObject{Type: to.Ptr(armcontainerregistry.SecretObjectTypeOpaque), Value: to.Ptr(value)}
	}
	source := a.Upload("contoso", "-- Dockerfile --\nFROM "+r.Host+"/"+image+"\nRUN echo built\n")
	poller, err := a.Tasks.BeginCreate(t.Context(), serve.Group, "contoso", task, armcontainerregistry.Task{
		Location: to.Ptr("here"),
		Properties: &armcontainerregistry.TaskProperties{
			Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
			Step: &armcontainerregistry.DockerBuildStep{
				Type: to.Ptr(armcontainerregistry.StepTypeDocker), ContextPath: &source,
				DockerFilePath: to.Ptr("Dockerfile"), ImageNames: []*string{to.Ptr(task + ":1")}, IsPushEnabled: to.Ptr(true),
			},
			Credentials: &armcontainerregistry.Credentials{CustomRegistries: map[string]*armcontainerregistry.CustomRegistryCredentials{
				r.Host: {UserName: opaque("reader"), Password: opaque("hush-reader")},
			}},
			Trigger: &armcontainerregistry.TriggerProperties{BaseImageTrigger: &armcontainerregistry.BaseImageTrigger{
				Name: to.Ptr("base"), BaseImageTriggerType: to.Ptr(armcontainerregistry.BaseImageTriggerTypeRuntime),
				UpdateTriggerEndpoint: endpoint,
			}},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// listener is the endpoint of a task.
type listener struct {
	URL      string
	messages chan string // run, digest and token
}

// listen starts an endpoint that is out of order when the first message comes.
func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{messages: make(chan string, 100)}
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		var m struct {
			RunID, UpdateTriggerToken string
			Images                    []struct{ Digest string }
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || len(m.Images) != 1 {
			t.Errorf("%+v: %v", m, err)
			return
		}
		l.messages <- m.RunID + " " + m.Images[0].Digest + " " + m.UpdateTriggerToken
	}))
	t.Cleanup(server.Close)
	l.URL = server.URL
	return l
}

// runWithToken runs a task by hand to its end, with a token for its endpoint.
func runWithToken(a *serve.Azure, t *testing.T, registry, task, token string) {
	t.Helper()
	id := a.Schedule(registry, &armcontainerregistry.TaskRunRequest{
		Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(taskID(a, registry, task)),
		OverrideTaskStepProperties: &armcontainerregistry.OverrideTaskStepProperties{UpdateTriggerToken: &token},
	})
	if text, end := a.WaitLog(registry, id); end != "successful" {
		t.Fatalf("run %s of %s: %s\n%s", id, task, end, text)
	}
}

// seen waits until the server has looked at an image.
func seen(t *testing.T, s *serve.Server, digest string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(s.Log(), `"digest":"`+digest+`"`); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server has not seen ", digest)
		}
	}
}

// TestImageElsewhere moves a tag of a private registry that is not the server's:
// while the server runs, and while it doesn't.
func TestImageElsewhere(t *testing.T) {
	t.Parallel()
	r := elsewhere(t)
	first := move(t, r, "team/base:1", "one")
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=2", "--triggers-poll=never", "--triggers-poll=" + r.Host + "=1s"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	told := listen(t)
	privateTask(a, t, "app", "team/base:1", r, &told.URL)
	runWithToken(a, t, "contoso", "app", "dG9rZW4=")
	seen(t, s, first)

	began := time.Now()
	second := move(t, r, "team/base:1", "two")
	run := triggered(a, t, "contoso", "app", 1)[0]
	t.Logf("from the push to the end of the run: %s", time.Since(began).Round(time.Millisecond))
	update := run.ImageUpdateTrigger.Images
	if len(update) != 1 || *update[0].Registry != r.Host || *update[0].Repository != "team/base" || *update[0].Tag != "1" || *update[0].Digest != second {
		t.Errorf("%+v", update)
	}
	if why := cause(a, t, "contoso", *run.RunID); len(why.Images) != 1 || why.Images[0].Previous != first || why.Images[0].Digest != second {
		t.Errorf("%+v", why)
	}

	if message := <-told.messages; message != *run.RunID+" "+second+" dG9rZW4=" {
		t.Errorf("the endpoint was told %s", message)
	}

	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	move(t, r, "team/base:1", "three")
	s.Restart()
	triggered(s.Azure(), t, "contoso", "app", 2)
	move(t, r, "team/base:1", "one") // and back
	triggered(s.Azure(), t, "contoso", "app", 3)
	if strings.Contains(s.Log(), "hush-reader") {
		t.Error("a password is in the log")
	}
}

// TestRegistryTellsOfAPush has the registry elsewhere say that a tag has moved,
// which nobody would notice otherwise.
func TestRegistryTellsOfAPush(t *testing.T) {
	t.Parallel()
	r := elsewhere(t)
	first := move(t, r, "team/base:1", "one")
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=2", "--triggers-poll=1h"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	privateTask(a, t, "app", "team/base:1", r, nil)
	runTask(a, t, "contoso", "app")
	seen(t, s, first)
	url, secret := a.TriggerHook("contoso")

	second := move(t, r, "team/base:1", "two")
	body := `{"events": [{"action": "push", "target": {"repository": "team/base", "tag": "1", "digest": "sha256:forged"}, "request": {"host": "` + r.Host + `"}}]}`
	deliver := func(signedWith string) int {
		t.Helper()
		mac := hmac.New(sha256.New, []byte(signedWith))
		mac.Write([]byte(body))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		resp, err := s.HTTP().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := deliver("guess"); status != http.StatusUnauthorized {
		t.Errorf("a forged delivery: %d", status)
	}
	if runs := updates(a, t, "contoso", "app"); len(runs) != 0 || strings.Contains(s.Log(), second) {
		t.Error("a forged delivery is believed")
	}
	began := time.Now()
	for range 2 { // it is delivered twice
		if status := deliver(secret); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	run := triggered(a, t, "contoso", "app", 1)[0]
	t.Logf("from the delivery to the end of the run: %s", time.Since(began).Round(time.Millisecond))
	if got := *run.ImageUpdateTrigger.Images[0].Digest; got != second {
		t.Errorf("digest %s, want %s", got, second)
	}
}

// TestKilledWhileAnImageMoves kills the server at some moment after the tag of
// an image has moved: before that is noticed, before a run is made of it, while
// the run waits or goes on. Each move is one run in the end.
func TestKilledWhileAnImageMoves(t *testing.T) {
	t.Parallel()
	r := elsewhere(t)
	first := move(t, r, "team/base:1", "one")
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=2", "--triggers-poll=1s"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	privateTask(a, t, "app", "team/base:1", r, nil)
	runTask(a, t, "contoso", "app")
	seen(t, s, first)
	for n := range 5 {
		want := move(t, r, "team/base:1", fmt.Sprint("move ", n))
		time.Sleep(time.Duration(rand.Int64N(int64(2500 * time.Millisecond))))
		s.Kill()
		s.Restart()
		a = s.Azure()
		runs := triggered(a, t, "contoso", "app", n+1)
		if last := runs[n]; *last.Status != armcontainerregistry.RunStatusSucceeded || *last.ImageUpdateTrigger.Images[0].Digest != want {
			t.Errorf("move %d: run %s: %s for %s, want %s", n, *last.RunID, *last.Status, *last.ImageUpdateTrigger.Images[0].Digest, want)
		}
	}
	time.Sleep(3 * time.Second) // several looks
	triggered(a, t, "contoso", "app", 5)
}
