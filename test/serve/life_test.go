package serve_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/drydockhq/drydock/test/serve"
)

const (
	running   = armcontainerregistry.RunStatusRunning
	succeeded = armcontainerregistry.RunStatusSucceeded
	canceled  = armcontainerregistry.RunStatusCanceled
	queued    = armcontainerregistry.RunStatusQueued
)

// slow is a task that takes so many seconds.
func slow(seconds string) *armcontainerregistry.EncodedTaskRunRequest {
	return serve.Task("steps:\n- cmd: busybox sh -c 'echo begun; sleep " + seconds + "; echo done'\n")
}

// waitText waits until the log of a run has a text.
func waitText(t *testing.T, a *serve.Azure, id, text string) {
	t.Helper()
	client := a.LogClient("contoso", id)
	deadline := time.Now().Add(time.Minute)
	for {
		var b strings.Builder
		if d, err := client.DownloadStream(t.Context(), nil); err == nil {
			buf := make([]byte, 1<<20)
			n, _ := d.Body.Read(buf)
			d.Body.Close()
			b.Write(buf[:n])
		}
		if strings.Contains(b.String(), text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q in the log of %s:\n%s", text, id, b.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestCancelStopsAContainer(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=2"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	id := a.Schedule("contoso", slow("600"))
	source := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: .\n-- Dockerfile --\nFROM busybox\nRUN echo begun; sleep 600\n")
	building := a.Schedule("contoso", fileTask(source))
	waiting := a.Schedule("contoso", slow("600"))
	waitText(t, a, id, "begun")
	waitText(t, a, building, " begun\r\n")
	for _, id := range []string{waiting, building, id} {
		start := time.Now()
		poller, err := a.Runs.BeginCancel(t.Context(), serve.Group, "contoso", id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		_, end := a.WaitLog("contoso", id)
		if took := time.Since(start); end != "canceled" || took > 2*time.Second {
			t.Errorf("run %s: %s after %s", id, end, took)
		}
		if run := a.Run("contoso", id); *run.Status != canceled {
			t.Errorf("run %s is %s", id, *run.Status)
		}
	}
}

func TestKilledServerRunsAgain(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=1"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	id := a.Schedule("contoso", slow("3"))
	waiting := a.Schedule("contoso", slow("0"))
	waitText(t, a, id, "begun")
	s.Kill()
	s.Restart()
	for _, id := range []string{id, waiting} {
		text, end := a.WaitLog("contoso", id)
		if end != "successful" || strings.Count(text, "done") != 1 {
			t.Errorf("run %s: %s\n%s", id, end, text)
		}
		if again := strings.Contains(text, "The server that had this run is gone"); again != (id != waiting) {
			t.Errorf("run %s:\n%s", id, text)
		}
		if run := a.Run("contoso", id); *run.Status != succeeded {
			t.Errorf("run %s is %s", id, *run.Status)
		}
	}
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=2", "--runs-drain=4s"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	short, long := a.Schedule("contoso", slow("2")), a.Schedule("contoso", slow("20"))
	waitText(t, a, short, "begun")
	waitText(t, a, long, "begun")
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	for ready := http.StatusOK; ready != http.StatusServiceUnavailable; {
		answer, err := http.Get("http://" + s.Addr + "/readyz")
		if err != nil {
			t.Fatal("it ended, and was ready all the time: ", err)
		}
		answer.Body.Close()
		ready = answer.StatusCode
	}
	s.WaitSaid(`"msg":"draining","runs":2`)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if text, end := a.WaitLog("contoso", short); end != "successful" || strings.Count(text, "begun") != 1 {
		t.Errorf("the short run: %s\n%s", end, text)
	}
	waitText(t, a, long, "goes back to the queue")
	a.WaitStatus("contoso", long, running)
}

func TestSecondServerRefuses(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	cmd := exec.Command(serve.Program(t), "serve", "--data", s.Data, "--listen", "127.0.0.1:0")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another server is running on the data folder") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestBackupWhileItRuns(t *testing.T) {
	t.Parallel()
	flag := hub(t)
	s := serve.Start(t, serve.Options{Args: []string{flag}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	digest := push(t, s, login+"/hello:v1")
	id := a.Schedule("contoso", slow("0"))
	a.WaitLog("contoso", id)
	going := a.Schedule("contoso", slow("4"))
	waitText(t, a, going, "begun")
	stop := keepPushing(t, s, login+"/busy")
	file, data := t.TempDir()+"/backup", t.TempDir()+"/restored"
	for _, args := range [][]string{{"backup", "--data", s.Data, file}, {"restore", "--data", data, file}} {
		if out, err := exec.Command(serve.Program(t), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		if args[0] == "backup" {
			stop()
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup holds keys, and is %v, %v", info, err)
	}
	restored := serve.Start(t, serve.Options{Data: data, Args: []string{flag}})
	restored.Tenant, restored.ClientID, restored.Secret = s.Tenant, s.ClientID, s.Secret
	b := restored.Azure()
	if text, end := b.WaitLog("contoso", id); end != "successful" || !strings.Contains(text, "done") {
		t.Errorf("%s\n%s", end, text)
	}
	if text, end := b.WaitLog("contoso", going); end != "successful" || !strings.Contains(text, "The server that had this run is gone") {
		t.Errorf("the run that was going on: %s\n%s", end, text)
	}
	wantWhole(t, restored, restored.LoginServer("contoso")+"/busy")
	if got := push(t, restored, restored.LoginServer("contoso")+"/hello:v2"); got != digest {
		t.Error(got)
	}
	next := b.Schedule("contoso", slow("0"))
	if _, end := b.WaitLog("contoso", next); end != "successful" || next == id {
		t.Error(next, end)
	}
}

// keepPushing pushes image after image to a repository, from before it returns
// until stop, which waits for the end of the last push.
func keepPushing(t *testing.T, s *serve.Server, repository string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	first, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			if err := pushRandom(s, fmt.Sprintf("%s:v%d", repository, i)); err != nil || ctx.Err() != nil {
				done <- err
				return
			}
			if i == 0 {
				close(first)
			}
		}
	}()
	select {
	case <-first:
	case err := <-done:
		t.Fatal("pushing: ", err)
	}
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error("pushing during the backup: ", err)
		}
	}
}

func pushRandom(s *serve.Server, image string) error {
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	img, err := random.Image(1<<20, 2)
	if err != nil {
		return err
	}
	return remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: s.ClientID, Password: s.Secret}), remote.WithTransport(s.Transport()))
}

// wantWhole checks that a repository has images, and all of each.
func wantWhole(t *testing.T, s *serve.Server, repository string) {
	t.Helper()
	repo, err := name.NewRepository(repository)
	if err != nil {
		t.Fatal(err)
	}
	options := []remote.Option{remote.WithAuth(&authn.Basic{Username: s.ClientID, Password: s.Secret}), remote.WithTransport(s.Transport())}
	tags, err := remote.List(repo, options...)
	if err != nil || len(tags) == 0 {
		t.Errorf("%s has the tags %v: %v", repository, tags, err)
	}
	for _, tag := range tags {
		img, err := remote.Image(repo.Tag(tag), options...)
		if err == nil {
			err = validate.Image(img) // reads every layer
		}
		if err != nil {
			t.Errorf("%s:%s is not whole: %v", repository, tag, err)
		}
	}
}
