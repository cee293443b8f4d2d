package serve_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// A server that is killed when the steps of a run are over, but can't record it,
// carries the run out again, and the log says once that it ended.
func TestKilledBeforeTheEndIsRecorded(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	id := a.Schedule("contoso", slow("3"))
	waitText(t, a, id, "begun")
	release := lockDatabase(t, s)
	s.WaitSaid("recording a run, trying again")
	s.Kill()
	release()
	s.Restart()
	text, end := a.WaitLog("contoso", id)
	if end != "successful" || strings.Count(text, "done") != 2 {
		t.Errorf("%s:\n%s", end, text)
	}
	wantEndOfLog(t, id, text)
}

// A server that is killed when the end of a run is recorded, but not in its log,
// writes that when it starts again: all of it, or what is missing.
func TestKilledBeforeTheLogEnds(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	source := a.Upload("contoso", "-- acr-task.yaml --\nversion: v1.1.0\nsteps:\n- build: -t $Registry/app:v1 .\n- push: [$Registry/app:v1]\n-- Dockerfile --\nFROM busybox\nRUN date > /built\n")
	good, bad := a.Schedule("contoso", fileTask(source)), a.Schedule("contoso", serve.Task("steps:\n- cmd: busybox false\n"))
	logs, runs := map[string]string{}, map[string]string{}
	for _, id := range []string{good, bad} {
		logs[id], _ = a.WaitLog("contoso", id)
		runs[id] = a.RawRun("contoso", id)
	}
	if strings.Contains(runs[good], "logEnd") || !strings.Contains(runs[good], "outputImages") {
		t.Error(runs[good])
	}
	for name, keep := range map[string]func(log string) int{
		"nothing": func(log string) int { return strings.Index(log, "Step ID: ") - len("2006/01/02 15:04:05 ") },
		"a part":  func(log string) int { return strings.Index(log, "Run ID: ") + 10 },
		"all":     func(log string) int { return len(log) },
	} {
		s.Kill()
		for id, log := range logs {
			unseal(t, s, id, keep(log))
		}
		s.Restart()
		for id, log := range logs {
			text, end := a.WaitLog("contoso", id)
			if text != log || (end == "successful") != (id == good) {
				t.Errorf("%s of the end was written: %s:\n%s\nwant:\n%s", name, end, text, log)
			}
			if run := a.RawRun("contoso", id); run != runs[id] {
				t.Errorf("the run was %s\nand is %s", runs[id], run)
			}
		}
	}
}

// unseal makes the log of a run what it is before it is sealed, with its first
// bytes only. The server is not there.
func unseal(t *testing.T, s *serve.Server, id string, size int) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.Data, "blobs", "logs-*", id+"%2Frawtext.log"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if err := os.Truncate(filepath.Join(found[0], "stream"), int64(size)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(found[0], "blob.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]any
	if err := json.Unmarshal(text, &record); err != nil {
		t.Fatal(err)
	}
	record["sealed"] = false
	delete(record, "metadata")
	record["parts"].([]any)[0].(map[string]any)["size"] = 0
	if text, err = json.Marshal(record); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
