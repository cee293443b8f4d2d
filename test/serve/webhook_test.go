package serve_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// receiver is somebody who is told by webhooks.
type receiver struct {
	URL string

	mu      sync.Mutex
	away    bool
	got     []received
	arrived chan struct{}
}

type received struct {
	header http.Header
	body   []byte
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{arrived: make(chan struct{}, 100)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{req.Header, body})
		if r.away {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		r.arrived <- struct{}{}
	}))
	t.Cleanup(s.Close)
	r.URL = s.URL
	return r
}

func (r *receiver) setAway(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
}

// next waits for the next message.
func (r *receiver) next(t *testing.T) received {
	t.Helper()
	select {
	case <-r.arrived:
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[len(r.got)-1]
}

// A run that fails is told of, although the other side is away at first and the
// server is killed meanwhile.
func TestFailedRunIsToldOf(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Args: []string{hub(t)}})
	c := s.Client(serve.Client{})
	told := startReceiver(t)
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	c.Must("acr", "webhook", "create", "-r", "contoso", "-n", "failures", "--uri", told.URL+"/hook?token=x", "--actions", "run_failed", "--headers", "X-Team=docks")
	c.Must("acr", "task", "create", "-r", "contoso", "-n", "bad", "--cmd", "busybox sh -c 'exit 3'", "-c", "/dev/null", "--base-image-trigger-enabled", "false")
	c.Must("acr", "task", "create", "-r", "contoso", "-n", "good", "--cmd", "busybox true", "-c", "/dev/null", "--base-image-trigger-enabled", "false")
	c.Must("acr", "task", "run", "-r", "contoso", "-n", "good", "--no-logs")

	told.setAway(true)
	if _, said, status := c.Run("acr", "task", "run", "-r", "contoso", "-n", "bad", "--no-logs"); status != 1 {
		t.Fatal(status, said)
	}
	first := told.next(t)
	s.Kill()
	told.setAway(false)
	s.Restart()
	// Otherwise it would be tried again ten seconds later.
	c.Must("acr", "webhook", "update", "-r", "contoso", "-n", "failures", "--status", "enabled")
	second := told.next(t)

	var m struct {
		ID, Action, Text string
		Run              struct{ RunID, Task, Status, Trigger, Registry, RunErrorMessage string }
	}
	if err := json.Unmarshal(second.body, &m); err != nil {
		t.Fatal(err)
	}
	if string(first.body) != string(second.body) || m.Action != "run" || m.Run.RunID != "ca2" || m.Run.Task != "bad" || m.Run.Status != "Failed" ||
		m.Run.Trigger != "Manual" || m.Run.Registry != s.LoginServer("contoso") || !strings.HasPrefix(m.Text, "Run ca2 of task bad in contoso.") {
		t.Errorf("%s", second.body)
	}
	secret := strings.TrimSpace(c.Must("acr", "webhook", "get-config", "-r", "contoso", "-n", "failures", "--query", "secret", "-o", "tsv"))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(second.body)
	for name, want := range map[string]string{
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)), "X-Drydock-Delivery": m.ID, "X-Drydock-Event": "run", "X-Team": "docks",
		"Content-Type": "application/json",
	} {
		if got := second.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	c.Must("acr", "webhook", "ping", "-r", "contoso", "-n", "failures")
	if ping := told.next(t); !strings.Contains(string(ping.body), `"action":"ping"`) {
		t.Errorf("%s", ping.body)
	}
	// Two messages: the good run was none.
	want := "ping  200 OK Delivered\nrun ca2 200 OK Delivered\n"
	var got string
	for deadline := time.Now().Add(time.Minute); got != want && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var events []struct {
			EventRequestMessage struct {
				Content struct {
					Action string
					Run    struct{ RunID string }
				}
			}
			EventResponseMessage struct{ StatusCode, ReasonPhrase string }
			State                string
		}
		if err := json.Unmarshal([]byte(c.Must("acr", "webhook", "list-events", "-r", "contoso", "-n", "failures")), &events); err != nil {
			t.Fatal(err)
		}
		got = ""
		for _, e := range events {
			got += fmt.Sprintln(e.EventRequestMessage.Content.Action, e.EventRequestMessage.Content.Run.RunID,
				e.EventResponseMessage.StatusCode, e.EventResponseMessage.ReasonPhrase, e.State)
		}
	}
	if got != want {
		t.Errorf("the events are\n%s", got)
	}
}

// Pushes and deletions come in ACR's form, those out of the scope not at all.
func TestPushIsToldOf(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c := s.Client(serve.Client{})
	told := startReceiver(t)
	c.Must("group", "create", "-n", "demo", "-l", "local")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	c.Must("acr", "webhook", "create", "-r", "contoso", "-n", "pushes", "--uri", told.URL, "--actions", "push", "delete", "--scope", "hello:*")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY . /\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, image := range []string{"other:1", "hello:1"} {
		c.Must("acr", "build", "-r", "contoso", "-t", image, "--no-logs", dir)
	}
	digest := strings.TrimSpace(c.Must("acr", "manifest", "list-metadata", "-r", "contoso", "-n", "hello", "--query", "[0].digest", "-o", "tsv"))
	type message struct {
		Action  string
		Target  struct{ MediaType, Digest, Repository, Tag string }
		Request struct{ Host, Method, UserAgent string }
	}
	var push, removal message
	if err := json.Unmarshal(told.next(t).body, &push); err != nil {
		t.Fatal(err)
	}
	if push.Action != "push" || push.Target.Repository != "hello" || push.Target.Tag != "1" || push.Target.Digest != digest ||
		push.Target.MediaType == "" || push.Request.Host != s.LoginServer("contoso") || push.Request.Method != "PUT" || push.Request.UserAgent == "" {
		t.Errorf("%+v", push)
	}
	c.Must("acr", "repository", "delete", "-n", "contoso", "--repository", "hello", "-y")
	if err := json.Unmarshal(told.next(t).body, &removal); err != nil {
		t.Fatal(err)
	}
	if removal.Action != "delete" || removal.Target.Repository != "hello" || removal.Target.Digest != digest || removal.Request.Method != "DELETE" {
		t.Errorf("%+v", removal)
	}
}
