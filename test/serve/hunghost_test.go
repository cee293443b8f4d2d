package serve_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// hungHosts are git hosts that accept and never answer: this machine under all
// its loopback addresses of IPv4.
type hungHosts struct {
	port string

	mu   sync.Mutex
	open map[string]int // connections, by host
}

func startHungHosts(t *testing.T) *hungHosts {
	t.Helper()
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hungHosts{open: map[string]int{}}
	_, h.port, _ = net.SplitHostPort(l.Addr().String())
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			host, _, _ := net.SplitHostPort(conn.LocalAddr().String())
			h.count(host, 1)
			all.Go(func() {
				_, _ = io.Copy(io.Discard, conn) // until the other side has had enough
				h.count(host, -1)
			})
		}
	})
	return h
}

func (h *hungHosts) count(host string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[host] += n
}

// waiting returns how many wait for an answer of a host.
func (h *hungHosts) waiting(host string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open[host]
}

// asked waits until somebody waits for an answer of a host.
func (h *hungHosts) asked(t *testing.T, host string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); h.waiting(host) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody asks %s", host)
		}
	}
}

// watchedSince waits until a task's repository has been looked at.
func watchedSince(a *serve.Azure, t *testing.T, task string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var list struct {
			Value []struct {
				Name           string
				SourceTriggers []struct{ Checked string }
			}
		}
		text := a.Get("/registries/contoso/taskDependencies")
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		for _, found := range list.Value {
			if found.Name == task && len(found.SourceTriggers) == 1 && found.SourceTriggers[0].Checked != "" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not looked at:\n%s", task, text)
		}
	}
}

// Git hosts that never answer, of tasks that are new and of such that are
// watched, hold up neither a task of another host that is new nor its commits.
func TestHungGitHosts(t *testing.T) {
	t.Parallel()
	hung := startHungHosts(t)
	dir := repository(t)
	git, err := serve.GitHandler(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	host := httptest.NewServer(git)
	t.Cleanup(host.Close)
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--sources-poll=1s"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	for i := range 14 { // half of them at one host
		followingTask(a, t, fmt.Sprint("hung", i), fmt.Sprintf("http://127.0.0.%d:%s/a/%d.git", max(2, i-5), hung.port, i))
	}
	hung.asked(t, "127.0.0.2")
	watched := host.URL + "/" + filepath.Base(dir) + "/.git"
	followingTask(a, t, "watched", watched)
	watchedSince(a, t, "watched")
	if hung.waiting("127.0.0.2") == 0 {
		t.Error("a new task was only looked at when no host hung any more")
	}

	followingTask(a, t, "latest", fmt.Sprintf("http://127.0.0.99:%s/a/b.git", hung.port))
	hung.asked(t, "127.0.0.99")
	cmd := exec.Command("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "--allow-empty", "-m", "two")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	began := time.Now()
	for deadline := began.Add(time.Minute); !strings.Contains(a.Get("/registries/contoso/runs"), `"sourceTrigger"`); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("there is no run of the commit")
		}
	}
	t.Logf("from the commit to the run: %s", time.Since(began).Round(10*time.Millisecond))
	if hung.waiting("127.0.0.99") == 0 {
		t.Error("the commit was only seen when the host that was asked before hung no more")
	}
}
