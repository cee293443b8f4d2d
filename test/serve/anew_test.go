package serve_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/serve"
)

// A registry that is made anew under the name of one that was deleted has
// nothing of that: links to its logs and uploads are dead, its run ids are given
// out again for other logs, its caches and images are gone.
func TestRegistryMadeAnew(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	push(t, s, s.LoginServer("contoso")+"/hello:v1")
	upload := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: -t x .\n-- Dockerfile --\n"+
		"FROM busybox\nARG who\nRUN --mount=type=cache,target=/cache ls /cache; echo first > /cache/of-the-first\n")
	first := a.Schedule("contoso", fileTask(upload))
	if text, end := a.WaitLog("contoso", first); end != "successful" {
		t.Fatal(text)
	}
	link, err := a.Runs.GetLogSasURL(t.Context(), serve.Group, "contoso", first, nil)
	if err != nil {
		t.Fatal(err)
	}
	place, err := a.Registries.GetBuildSourceUploadURL(t.Context(), serve.Group, "contoso", nil)
	if err != nil {
		t.Fatal(err)
	}

	gone, err := a.Registries.BeginDelete(t.Context(), serve.Group, "contoso", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	a.CreateRegistry("contoso")
	if _, err := a.Runs.Get(t.Context(), serve.Group, "contoso", first, nil); err == nil {
		t.Error("the old run is there")
	}
	again := a.Schedule("contoso", fileTask(upload))
	text, end := a.WaitLog("contoso", again)
	if again != first || end != "failed" || !strings.Contains(text, "there is no source") || strings.Contains(text, "successful") {
		t.Errorf("run %s on the old upload: %s\n%s", again, end, text)
	}
	if answer := get(t, s, *link.LogLink); !strings.Contains(answer, " 404 ") {
		t.Errorf("the old link to a log: %s", answer)
	}
	// Who holds an old link may write, and nobody sees it.
	put, err := http.NewRequestWithContext(t.Context(), http.MethodPut, *place.UploadURL, strings.NewReader("evil"))
	if err != nil {
		t.Fatal(err)
	}
	put.Header.Set("x-ms-blob-type", "BlockBlob")
	resp, err := s.HTTP().Do(put)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if text, end := a.WaitLog("contoso", a.Schedule("contoso", fileTask(*place.RelativePath))); end != "failed" || !strings.Contains(text, "there is no source") {
		t.Errorf("an upload to an old link: %s\n%s", end, text)
	}

	ref, err := name.ParseReference(s.LoginServer("contoso") + "/hello:v1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(ref, remote.WithAuth(&authn.Basic{Username: s.ClientID, Password: s.Secret}), remote.WithTransport(s.Transport())); err == nil {
		t.Error("the old image is there")
	}
	upload = a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: -t x .\n-- Dockerfile --\n"+
		"FROM busybox\nARG who\nRUN --mount=type=cache,target=/cache echo anew; ls /cache\n")
	if text, end := a.WaitLog("contoso", a.Schedule("contoso", fileTask(upload))); end != "successful" || strings.Contains(text, "of-the-first\r\n") {
		t.Errorf("the cache of the old registry: %s\n%s", end, text)
	}
}
