package serve_test

import (
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// Who follows the log of a run that waits hears that it was canceled for a newer
// commit.
func TestFollowedRunThatIsSuperseded(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	git, err := serve.GitHandler(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	host := httptest.NewServer(git)
	t.Cleanup(host.Close)
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--sources-poll=1s", "--runs-slots=1"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	first := a.Schedule("contoso", slow("600")) // so that others wait
	waitText(t, a, first, "begun")
	url := host.URL + "/" + filepath.Base(dir) + "/.git"
	if status, answer := a.Put("/registries/contoso/tasks/app", `{"location":"here","properties":{"platform":{"os":"Linux"},
		"step":{"type":"FileTask","taskFilePath":"acr-task.yaml","contextPath":"`+url+`"},
		"trigger":{"sourceTriggers":[{"name":"source","sourceTriggerEvents":["commit"],"cancelSuperseded":true,
			"sourceRepository":{"sourceControlType":"Github","repositoryUrl":"`+url+`"}}]}}}`); status != 200 {
		t.Fatal(status, answer)
	}
	watchedSince(a, t, "app")
	commit(t, dir, map[string]string{"news": "one"})
	older := runsOf(t, a, "app", 1)[0]
	end := followedToItsEnd(t, s, followLink(t, a, older))
	commit(t, dir, map[string]string{"news": "two"})
	select {
	case said := <-end:
		if said != "canceled" {
			t.Errorf("run %s ended: %s", older, said)
		}
	case <-time.After(time.Minute):
		t.Fatalf("who follows run %s hears nothing of its end", older)
	}
	if status, answer := a.Post("/registries/contoso/runs/"+first+"/cancel", ""); status >= 300 {
		t.Errorf("%d %s", status, answer)
	}
}

// runsOf waits for a number of runs of a task and returns them, the newest first.
func runsOf(t *testing.T, a *serve.Azure, task string, n int) (ids []string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var list struct {
			Value []struct {
				Properties struct{ RunID, Task string }
			}
		}
		text := a.Get("/registries/contoso/runs")
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		ids = nil
		for _, r := range list.Value {
			if r.Properties.Task == task {
				ids = append(ids, r.Properties.RunID)
			}
		}
		if len(ids) >= n {
			return ids
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %d runs of %s:\n%s", n, task, text)
		}
	}
}
