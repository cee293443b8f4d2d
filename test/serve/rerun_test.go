package serve_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// A run is repeated on the commit that it was made from, with its secrets.
func TestRerun(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--sources-files", filepath.Dir(repo)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	first := a.Schedule("contoso", fileTask("file://"+repo+"#trunk"))
	told, end := a.WaitLog("contoso", first)
	if end != "successful" {
		t.Fatal(told)
	}
	if err := os.WriteFile(filepath.Join(repo, "acr-task.yaml"), []byte("steps:\n- cmd: busybox false\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-a", "-m", "two")
	cmd.Dir = repo
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	again := a.Rerun("contoso", first)
	text, end := a.WaitLog("contoso", again)
	line := func(text string) string {
		_, rest, _ := strings.Cut(text, "top trunk ")
		commit, _, _ := strings.Cut(rest, "\r\n")
		return commit
	}
	if end != "successful" || line(text) == "" || line(text) != line(told) {
		t.Errorf("%s\n%s\nwhere the first run said\n%s", end, text, told)
	}

	upload := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- cmd: busybox echo secret {{.Values.who}}\n")
	first = a.Schedule("contoso", fileTask(upload))
	a.WaitLog("contoso", first)
	text, end = a.WaitLog("contoso", a.Rerun("contoso", first))
	if end != "successful" || !strings.Contains(text, "secret ***") {
		t.Errorf("%s\n%s", end, text)
	}
	if err := os.RemoveAll(filepath.Join(s.Data, "blobs")); err != nil {
		t.Fatal(err)
	}
	if status, body := a.Post("/registries/contoso/runs/"+first+"/rerun", ""); status != http.StatusConflict || !strings.Contains(body, "SourceNotFound") {
		t.Errorf("%d %s", status, body)
	}
}
