package serve_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

func TestMain(m *testing.M) {
	status := m.Run()
	serve.Clean()
	os.Exit(status)
}

// hub stands for Docker Hub: it has busybox.
func hub(t *testing.T) (flag string) {
	t.Helper()
	r := registry.Start(t, registry.Options{})
	if err := images.Push(t.Context(), r.Host, images.Busybox+"=library/"+images.Busybox); err != nil {
		t.Fatal(err)
	}
	return "--registries-mirrors=docker.io=http://" + r.Host
}

// push pushes a small image as the admin, and returns its digest.
func push(t *testing.T, s *serve.Server, image string) string {
	t.Helper()
	digest, err := tryPush(t, s, image)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func tryPush(t *testing.T, s *serve.Server, image string) (digest string, err error) {
	t.Helper()
	img, err := images.Get(t.Context(), images.HelloWorld)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	auth := &authn.Basic{Username: s.ClientID, Password: s.Secret}
	if err := remote.Write(ref, img, remote.WithAuth(auth), remote.WithTransport(s.Transport()), remote.WithContext(t.Context())); err != nil {
		return "", err
	}
	d, err := img.Digest()
	return d.String(), err
}

// TestThinSlice is the way of a newcomer: a registry, a push, a build, its log,
// the list of runs.
func TestThinSlice(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	if login != s.LoginServer("contoso") {
		t.Fatalf("login server %s", login)
	}
	push(t, s, login+"/base/hello:v1")

	source := a.Upload("contoso", `
-- 0af1_Dockerfile --
FROM busybox
ARG greeting
RUN echo "building with $greeting"
COPY file /file
-- file --
hello
`)
	id := a.Schedule("contoso", &armcontainerregistry.DockerBuildRequest{
		Type: to.Ptr("DockerBuildRequest"), SourceLocation: &source, DockerFilePath: to.Ptr("0af1_Dockerfile"),
		ImageNames: []*string{to.Ptr("app:{{.Run.ID}}")}, IsPushEnabled: to.Ptr(true),
		Arguments: []*armcontainerregistry.Argument{{Name: to.Ptr("greeting"), Value: to.Ptr("love")}},
		Platform:  &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
	})
	text, end := a.WaitLog("contoso", id)
	if end != "successful" || !strings.Contains(text, "building with love") || !strings.Contains(text, "Run ID: "+id+" was successful") {
		t.Fatalf("%s:\n%s", end, text)
	}
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
	// The log says that it is complete when the run is known to have ended.
	run := a.Run("contoso", id)
	if *run.Status != armcontainerregistry.RunStatusSucceeded || run.FinishTime == nil || run.StartTime == nil || len(run.OutputImages) != 1 {
		t.Fatalf("run %+v", run)
	}
	output := run.OutputImages[0]
	ref, err := name.ParseReference(login + "/" + *output.Repository + ":" + *output.Tag)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Get(ref, remote.WithAuth(&authn.Basic{Username: s.ClientID, Password: s.Secret}), remote.WithTransport(s.Transport()))
	if err != nil || pulled.Digest.String() != *output.Digest || *output.Registry != login || *output.Tag != id {
		t.Errorf("%+v, %v", output, err)
	}
	pages := a.Runs.NewListPager(serve.Group, "contoso", nil)
	page, err := pages.NextPage(t.Context())
	if err != nil || len(page.Value) != 1 || *page.Value[0].Properties.RunID != id {
		t.Errorf("runs %+v, %v", page.Value, err)
	}
}

func TestProbesAndMetrics(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	id := a.Schedule("contoso", serve.Task("steps:\n- cmd: nothing.invalid/x\n  timeout: 5\n"))
	if _, end := a.WaitLog("contoso", id); end != "failed" {
		t.Error(end)
	}
	if status, answer := a.Put("/registries/contoso/agentPools/big", `{"location":"local","properties":{"count":3}}`); status != http.StatusOK {
		t.Error(status, answer)
	}
	for url, want := range map[string]string{
		"https://" + s.Host("management") + "/healthz": "ok",
		"http://" + s.Addr + "/readyz":                 "ok",
		"http://" + s.Addr + "/metrics":                `drydock_runs_total{status="Failed",trigger="manual"} 1`,
		"http://" + s.Addr + "/metrics?slots":          `drydock_queue_slots{pool="big",registry="contoso"} 3`,
		"http://" + s.Addr + "/metrics?waiting":        `drydock_queue_waiting_runs{pool="default",registry=""} 0`,
		"https://" + s.Host("nobody") + "/":            "Drydock serves no host",
		"http://" + s.Host("management") + "/":         "HTTPS only",
	} {
		if body := get(t, s, url); !strings.Contains(body, want) {
			t.Errorf("%s: %s", url, body)
		}
	}
}

func get(t *testing.T, s *serve.Server, url string) string {
	t.Helper()
	resp, err := s.HTTP().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLogInTheRegistry(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	request := slow("0")
	request.LogTemplate = to.Ptr("logs/runs:{{.Run.ID}}")
	id := a.Schedule("contoso", request)
	text, end := a.WaitLog("contoso", id)
	artifact := a.Run("contoso", id).LogArtifact
	if end != "successful" || artifact == nil {
		t.Fatalf("%s, %+v\n%s", end, artifact, text)
	}
	ref, err := name.ParseReference(login + "/" + *artifact.Repository + ":" + *artifact.Tag)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref, remote.WithAuth(&authn.Basic{Username: s.ClientID, Password: s.Secret}), remote.WithTransport(s.Transport()))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatal(layers, err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	kept, err := io.ReadAll(content)
	if err != nil || string(kept) != text || *artifact.Tag != id {
		t.Errorf("%v: kept\n%s\nnot\n%s", err, kept, text)
	}
}
