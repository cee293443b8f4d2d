package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// What a killed server leaves on the machine goes with the next start, also the
// temporary mounts of its builds, none of which are in the machine's own folder
// for temporary files. It goes with the test if there is no next start.
func TestKilledServerLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]bool{"started again": true, "never again": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temp := t.TempDir()
			data := filepath.Join(t.TempDir(), "data")
			t.Cleanup(func() { // after the server's own
				if left := mountsBelow(t, data, temp); len(left) > 0 {
					t.Errorf("%v are still mounted", left)
				}
			})
			s := serve.Start(t, serve.Options{Data: data, Args: []string{hub(t)}, Env: []string{"TMPDIR=" + temp}})
			a := s.Azure()
			a.CreateRegistry("contoso")
			source := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: --secret id=s,src=key .\n-- key --\ns3cret\n"+
				"-- Dockerfile --\nFROM busybox\nRUN --mount=type=secret,id=s echo begun; sleep 600\n")
			id := a.Schedule("contoso", fileTask(source))
			waitText(t, a, id, " begun\r\n")
			s.Kill()
			left, err := os.ReadDir(temp)
			if err != nil || len(left) > 0 {
				t.Errorf("in the machine's folder are %v, %v", left, err)
			}
			if mounts := mountsBelow(t, filepath.Join(data, "engine", "tmp")); len(mounts) == 0 {
				t.Error("it left no temporary mount: the test tests nothing")
			}
			if again {
				s.Restart()
				if _, err := a.Runs.BeginCancel(t.Context(), serve.Group, "contoso", id, nil); err != nil {
					t.Fatal(err)
				}
				a.WaitStatus("contoso", id, canceled)
			}
		})
	}
}

// mountsBelow returns what is mounted in some folders.
func mountsBelow(t *testing.T, folders ...string) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		for _, f := range folders {
			if at := strings.Fields(line)[4]; strings.HasPrefix(at, f+"/") {
				found = append(found, at)
			}
		}
	}
	return found
}
