package serve_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock/test/serve"
)

// lockDatabase takes the lock that a writer needs, as another process that has
// the database open would, until what it returns is called. SQLite's lock for
// writers is a byte of the file beside the database; see its page on WAL.
func lockDatabase(t *testing.T, s *serve.Server) (release func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Data, "drydock.db-shm"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	const writers = 120
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: unix.SEEK_SET, Start: writers, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLKW, &lock); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// While something else has the database locked, what needs no writing is
// answered, what does is told to come again, and nothing is lost.
func TestLockedDatabase(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--runs-slots=1"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	going := a.Schedule("contoso", slow("3"))
	waiting := a.Schedule("contoso", slow("0"))
	waitText(t, a, going, "begun")
	release := lockDatabase(t, s)
	if run := a.Run("contoso", going); *run.Status != running {
		t.Errorf("the run is %s", *run.Status)
	}
	status, body := a.Post("/registries/contoso/scheduleRun", `{"type":"EncodedTaskRunRequest","encodedTaskContent":"eA==","platform":{"os":"Linux"}}`)
	if status != http.StatusServiceUnavailable || !strings.Contains(body, `"ServiceUnavailable"`) || !strings.Contains(body, "locked") {
		t.Errorf("%d %s", status, body)
	}
	s.WaitSaid("recording a run, trying again")
	if answer := get(t, s, "https://"+s.Host("management")+"/healthz"); !strings.Contains(answer, " 200 ") {
		t.Error(answer)
	}
	release()
	for _, id := range []string{going, waiting} {
		if text, end := a.WaitLog("contoso", id); end != "successful" || strings.Count(text, "begun") != 1 {
			t.Errorf("run %s: %s\n%s", id, end, text)
		}
	}
	if id := a.Schedule("contoso", slow("0")); id != "ca3" {
		t.Errorf("what was refused has become a run: the next one is %s", id)
	}
}
