package serve_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock/test/serve"
)

var number = regexp.MustCompile(`(?m)^\d+\r$`)

// A full disk is said, brings nothing down, and passes.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=96m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := serve.Start(t, serve.Options{Data: filepath.Join(disk, "data"), Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	first := a.Schedule("contoso", slow("0"))
	if text, end := a.WaitLog("contoso", first); end != "successful" {
		t.Fatal(end, "\n", text)
	}
	place, err := a.Registries.GetBuildSourceUploadURL(t.Context(), serve.Group, "contoso", nil)
	if err != nil {
		t.Fatal(err)
	}
	push(t, s, s.LoginServer("contoso")+"/hello:v1")
	quiet := a.Schedule("contoso", serve.Task("steps:\n- cmd: busybox sh -c 'echo begun; sleep 5'\n"))
	loud := a.Schedule("contoso", serve.Task("steps:\n- cmd: busybox sh -c 'echo begun; sleep 5; seq 1 30000; echo done'\n"))
	waitText(t, a, quiet, "begun")
	waitText(t, a, loud, "begun")
	ballast := fill(t, disk)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, *place.UploadURL, strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-ms-blob-type", "BlockBlob")
	resp, err := s.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusInsufficientStorage || resp.Header.Get("x-ms-error-code") != "InsufficientStorage" {
		t.Errorf("an upload: %s %v", resp.Status, resp.Header)
	}
	for range 50 { // the database may have a little room left
		_, err = a.Registries.BeginScheduleRun(t.Context(), serve.Group, "contoso", slow("0"), nil)
		if err != nil {
			break
		}
	}
	var answer *azcore.ResponseError
	if err != nil && (!errors.As(err, &answer) || answer.StatusCode < 500 || answer.ErrorCode == "") {
		t.Errorf("a run: %v", err)
	}
	if _, err := tryPush(t, s, s.LoginServer("contoso")+"/hello:v2"); err == nil || !strings.Contains(err.Error(), "UNAVAILABLE") {
		t.Errorf("a push: %v", err)
	}
	if body := get(t, s, "https://"+s.Host("management")+"/healthz"); !strings.Contains(body, "ok") {
		t.Error(body)
	}

	// The runs end while the disk is full. That can't be recorded, and is not forgotten.
	s.WaitSaid("recording a run, trying again")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for id, lines := range map[string]int{quiet: 0, loud: 30000} {
		text, end := a.WaitLog("contoso", id)
		if end != "successful" || !strings.Contains(text, "Run ID: "+id+" was successful") || len(number.FindAllString(text, -1)) != lines {
			t.Errorf("a run that ended on the full disk: %s\n%.2000s", end, text)
		}
		if run := a.Run("contoso", id); *run.Status != succeeded || run.RunErrorMessage != nil {
			t.Errorf("the run %s is %s", id, *run.Status)
		}
	}
	last := a.Schedule("contoso", slow("0"))
	if text, end := a.WaitLog("contoso", last); end != "successful" {
		t.Errorf("after there is room again: %s\n%s", end, text)
	}
}

// fill fills a disk and returns the file that does.
func fill(t *testing.T, disk string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		_, err := f.Write(chunk)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			chunk = chunk[:len(chunk)/2]
		case err != nil && !errors.Is(err, io.ErrShortWrite):
			t.Fatal(err)
		}
	}
	return f.Name()
}
