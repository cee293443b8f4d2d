package serve_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// kills is how often the server is killed: 25 times, or $SOAK_KILLS.
func kills(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("SOAK_KILLS"))
	if err != nil {
		return 25
	}
	return n
}

// TestKillsAtAnyMoment kills the server again and again while runs are queued,
// started, going on and ending. At the end each run that a client was told of
// has ended, once, and its log says how.
func TestKillsAtAnyMoment(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=2"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	source := a.Upload("contoso", "-- Dockerfile --\nFROM busybox\nRUN date > /built\n")
	build := func() armcontainerregistry.RunRequestClassification {
		return &armcontainerregistry.DockerBuildRequest{
			Type: to.Ptr("DockerBuildRequest"), SourceLocation: &source, DockerFilePath: to.Ptr("Dockerfile"),
			ImageNames: []*string{to.Ptr("app:{{.Run.ID}}")}, IsPushEnabled: to.Ptr(true), NoCache: to.Ptr(true),
			Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
		}
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)) // moments, not secrets
	told := map[string]bool{}
	for i := range kills(t) {
		requests := []armcontainerregistry.RunRequestClassification{slow("0")}
		if i%3 == 0 {
			requests = append(requests, build())
		}
		for _, r := range requests {
			poller, err := a.Registries.BeginScheduleRun(t.Context(), serve.Group, "contoso", r, nil)
			if err != nil {
				t.Fatal(err)
			}
			run, err := poller.PollUntilDone(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			told[*run.Properties.RunID] = true
		}
		moment := time.Duration(random.Int64N(int64(900 * time.Millisecond)))
		time.Sleep(moment)
		s.Kill()
		s.Restart()
	}
	for id := range told {
		text, end := a.WaitLog("contoso", id)
		run := a.Run("contoso", id)
		status := string(*run.Status)
		want := map[string]string{"Succeeded": "successful", "Failed": "failed"}[status]
		if want == "" || end != want || run.FinishTime == nil {
			t.Errorf("run %s is %s, and its log says %s", id, status, end)
		}
		wantOneEnd(t, s.Output(), id)
		if status == "Succeeded" {
			wantEndOfLog(t, id, text)
		}
		if status == "Failed" && !strings.Contains(*run.RunErrorMessage, "was gone before it ended") {
			t.Errorf("run %s failed for another reason: %s\n%s", id, *run.RunErrorMessage, text)
		}
	}
	seen := 0
	for pages := a.Runs.NewListPager(serve.Group, "contoso", nil); pages.More(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Value {
			seen++
			if !told[*r.Properties.RunID] {
				t.Errorf("nobody was told of run %s", *r.Properties.RunID)
			}
		}
	}
	if seen != len(told) {
		t.Errorf("there are %d runs, and clients were told of %d", seen, len(told))
	}
}

// wantOneEnd looks in the server's log whether a run ended once at the most, and
// did not start after that.
func wantOneEnd(t *testing.T, output, id string) {
	t.Helper()
	about := `,"registry":"contoso","run":"` + id + `"`
	_, after, ended := strings.Cut(output, `"msg":"run ended"`+about)
	if ended && (strings.Contains(after, `"msg":"run ended"`+about) || strings.Contains(after, `"msg":"run started"`+about)) {
		t.Errorf("run %s went on after its end", id)
	}
}

// wantEndOfLog looks in the log of a run that succeeded whether that is its last
// line, and nowhere else: no run comes to its end twice.
func wantEndOfLog(t *testing.T, id, text string) {
	t.Helper()
	said := "Run ID: " + id + " was successful after "
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if strings.Count(text, said) != 1 || !strings.HasPrefix(lines[len(lines)-1], said) {
		t.Errorf("the log of run %s does not have one end:\n%s", id, text)
	}
}
