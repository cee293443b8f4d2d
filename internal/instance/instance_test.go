package instance_test

import (
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/drydockhq/drydock"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func policy(p drydock.RestartPolicy) func(*drydock.ContainerGroup) {
	return func(g *drydock.ContainerGroup) { g.RestartPolicy = p }
}

func TestRestartPolicies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy drydock.RestartPolicy
		status int
		again  bool
		state  string
	}{
		{drydock.RestartAlways, 0, true, drydock.GroupRunning},
		{drydock.RestartAlways, 1, true, drydock.GroupRunning},
		{drydock.RestartOnFailure, 0, false, drydock.GroupSucceeded},
		{drydock.RestartOnFailure, 1, true, drydock.GroupRunning},
		{drydock.RestartNever, 0, false, drydock.GroupSucceeded},
		{drydock.RestartNever, 1, false, drydock.GroupFailed},
	} {
		t.Run(string(c.policy), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.want("1", "web:v1", policy(c.policy))
			w.started().exit(c.status)
			if c.again {
				w.started()
			}
			v := w.until(c.state, func(v drydock.ContainerGroupView) bool { return v.State == c.state })
			if got := v.Containers[0].Restarts > 0; got != c.again {
				t.Errorf("status %d: restarted: %t", c.status, got)
			}
			if !c.again && v.Containers[0].Current.ExitCode != c.status {
				t.Errorf("status %d: %+v", c.status, v.Containers[0])
			}
		})
	}
}

// A container that crashes again and again waits longer and longer, and says so;
// what was there before goes on serving.
func TestCrashLoop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1")
	w.started()
	w.untilProvisioned("1", drydock.GroupSucceeded)
	w.engine.mu.Lock()
	w.engine.deaf = true
	w.engine.mu.Unlock()
	w.want("2", "web:v2")
	for range 4 {
		p := w.started()
		if p.spec.Image != "web:v2" {
			t.Fatal(p.spec.Image)
		}
		p.exit(1)
	}
	v := w.untilProvisioned("2", drydock.GroupFailed)
	if v.Problem != "container web crashes: it ended with status 1" || w.engine.serves() != "web:v1" {
		t.Errorf("%q; %s is served", v.Problem, w.engine.serves())
	}
	if names := eventNames(v.Containers[0].Events); !slices.Contains(names, "BackOff") || !slices.Contains(names, "Started") {
		t.Errorf("events: %v", names)
	}
	w.engine.mu.Lock()
	w.engine.deaf = false
	w.engine.mu.Unlock()
	w.untilProvisioned("2", drydock.GroupSucceeded)
	if w.engine.serves() != "web:v2" {
		t.Errorf("%s is served", w.engine.serves())
	}
}

// A program that ends well under the policy Always is no crash: what helps is
// another policy.
func TestEndingAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.deaf = true
	w.want("1", "web:v1")
	for range 4 {
		w.started().exit(0)
	}
	v := w.untilProvisioned("1", drydock.GroupFailed)
	if v.Problem != "container web ends again and again, with status 0: set the restart policy to OnFailure or Never if it is meant to end" {
		t.Errorf("%q", v.Problem)
	}
	w.started().exit(3)
	w.until("a crash", func(v drydock.ContainerGroupView) bool {
		return v.Problem == "container web crashes: it ended with status 3"
	})
}

func eventNames(events []drydock.InstanceEvent) (names []string) {
	for _, e := range events {
		names = append(names, e.Name)
	}
	return names
}

// A deployment that another one overtakes leaves nothing.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1")
	w.started()
	w.untilProvisioned("1", drydock.GroupSucceeded)
	w.engine.mu.Lock()
	w.engine.broken["web:v2"] = drydock.Errorf(drydock.Unavailable, "the registry is away")
	w.engine.mu.Unlock()
	w.want("2", "web:v2")
	v := w.untilProvisioned("2", drydock.GroupFailed)
	if !strings.Contains(v.Containers[0].Current.Detail, "the registry is away") || w.engine.serves() != "web:v1" {
		t.Errorf("%+v, %s is served", v, w.engine.serves())
	}
	w.want("3", "web:v3")
	w.started()
	w.untilProvisioned("3", drydock.GroupSucceeded)
	w.until("alone", func(drydock.ContainerGroupView) bool {
		w.engine.mu.Lock()
		defer w.engine.mu.Unlock()
		return w.engine.pods == 1 && w.engine.networks == 1
	})
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.taken[80] = true // before anybody else is there
	w.want("1", "web:v1")
	v := w.untilProvisioned("1", drydock.GroupFailed)
	if !strings.Contains(v.Problem, "port 80 is in use") {
		t.Errorf("%+v", v)
	}
	w.engine.mu.Lock()
	w.engine.taken[80] = false
	w.engine.mu.Unlock()
	w.untilProvisioned("1", drydock.GroupSucceeded)
}

// Who waits for a stop does not take what still runs for what is wanted.
func TestStopIsAwaited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1")
	w.started()
	w.m.Await(t.Context(), groupID, "1", false)
	if v := w.m.View(groupID); v.State != drydock.GroupRunning {
		t.Errorf("started, it is %+v", v)
	}
	w.want("1", "web:v1", func(g *drydock.ContainerGroup) { g.Stopped = true })
	w.m.Await(t.Context(), groupID, "1", true)
	if v := w.m.View(groupID); v.State != drydock.GroupStopped {
		t.Errorf("stopped, it is %+v", v)
	}
}

// A new start of the server brings a group back with the same images at the same
// address; a stopped one stays stopped.
func TestRestartOfTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1")
	w.started()
	w.untilProvisioned("1", drydock.GroupSucceeded)
	w.m.Close()
	w.engine.pulls = nil
	w.start()
	w.started()
	w.untilProvisioned("1", drydock.GroupSucceeded)
	if !slices.Equal(w.engine.pulls, []string{"web:v1@sha256:web:v1"}) || w.engine.wants[len(w.engine.wants)-1].String() != "192.0.2.7" {
		t.Errorf("pulled %v, wanted %v", w.engine.pulls, w.engine.wants)
	}
	w.want("1", "web:v1", func(g *drydock.ContainerGroup) { g.Stopped = true })
	w.until("stopped", func(v drydock.ContainerGroupView) bool { return v.State == drydock.GroupStopped })
	w.m.Close()
	w.start()
	w.until("stopped", func(v drydock.ContainerGroupView) bool { return v.State == drydock.GroupStopped })
	if w.engine.networks != 0 || w.engine.pods != 0 {
		t.Errorf("%d networks, %d pods", w.engine.networks, w.engine.pods)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1")
	w.started()
	w.untilProvisioned("1", drydock.GroupSucceeded)
	if err := w.m.Remove(t.Context(), groupID); err != nil {
		t.Fatal(err)
	}
	if w.engine.networks != 0 || w.engine.pods != 0 || len(w.notes) != 0 {
		t.Errorf("left: %d networks, %d pods, notes %v", w.engine.networks, w.engine.pods, w.notes)
	}
	if text, err := w.m.Logs(groupID, "web", 0, false); err != nil || text != "" {
		t.Errorf("logs of a group that is gone: %q, %v", text, err)
	}
}

func TestInitContainers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1", func(g *drydock.ContainerGroup) {
		g.Init = []drydock.GroupContainer{{Name: "first", Image: "first:v1"}, {Name: "second", Image: "second:v1"}}
	})
	for _, image := range []string{"first:v1", "first:v1", "second:v1", "web:v1"} {
		p := w.started()
		if p.spec.Image != image {
			t.Fatalf("%s is started, not %s", p.spec.Image, image)
		}
		if image != "web:v1" {
			status := 0
			if image == "first:v1" && len(w.m.View(groupID).Init) > 0 && w.m.View(groupID).Init[0].Restarts == 0 {
				status = 1 // it is tried again
			}
			p.exit(status)
		}
	}
	w.untilProvisioned("1", drydock.GroupSucceeded)
}

// A group whose first container crashes again and again says so, and goes on when
// it doesn't any more.
func TestInitContainerInACrashLoop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1", func(g *drydock.ContainerGroup) {
		g.Init = []drydock.GroupContainer{{Name: "first", Image: "first:v1"}}
	})
	for range 3 {
		w.started().exit(1)
	}
	v := w.untilProvisioned("1", drydock.GroupFailed)
	if v.Problem != "the init container first crashes: it ended with status 1" || !slices.Contains(eventNames(v.Init[0].Events), "BackOff") || v.Init[0].Previous.ExitCode != 1 {
		t.Errorf("%q, %+v", v.Problem, v.Init[0])
	}
	w.started().exit(0)
	w.started()
	w.untilProvisioned("1", drydock.GroupSucceeded)
}

func TestLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("1", "web:v1")
	p := w.started()
	if _, err := p.spec.Output.Write([]byte("one\ntwo\nthr")); err != nil {
		t.Fatal(err)
	}
	for tail, want := range map[int]string{0: "life of web:v1\none\ntwo\nthr", 2: "two\nthr", 100: "life of web:v1\none\ntwo\nthr"} {
		if got, err := w.m.Logs(groupID, "WEB", tail, false); err != nil || got != want {
			t.Errorf("the last %d lines: %q, %v", tail, got, err)
		}
	}
	if got, err := w.m.Logs(groupID, "web", 1, true); err != nil || !strings.HasPrefix(got, "20") || !strings.HasSuffix(got, " thr") {
		t.Errorf("with times: %q, %v", got, err)
	}
	if _, err := w.m.Logs(groupID, "other", 0, false); drydock.CodeOf(err) != drydock.NotFound {
		t.Error(err)
	}
	line := strings.Repeat("x", 1023) + "\n"
	for range 6 << 10 { // 6 MiB
		if _, err := p.spec.Output.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.m.Logs(groupID, "web", 0, false); err != nil || len(got) > 4<<20 || len(got) < 1<<20 {
		t.Errorf("%d bytes are kept, %v", len(got), err)
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.m.WithConsoles(nil))
	t.Cleanup(server.Close)
	w.want("1", "web:v1")
	w.started()
	w.untilProvisioned("1", drydock.GroupSucceeded)
	open := func(first string) (*websocket.Conn, string) {
		t.Helper()
		c, err := w.m.Console(drydock.ConsoleRequest{Group: groupID, Container: "web", Command: []string{"sh", "-i"}, Rows: 40, Columns: 100})
		if err != nil {
			t.Fatal(err)
		}
		socket, _, err := websocket.Dial(t.Context(), server.URL+c.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = socket.CloseNow() })
		if first == "" {
			first = c.Password
		}
		if err := socket.Write(t.Context(), websocket.MessageText, []byte(first)); err != nil {
			t.Fatal(err)
		}
		return socket, c.Path
	}
	socket, path := open("")
	if err := socket.Write(t.Context(), websocket.MessageBinary, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	_, text, err := socket.Read(t.Context())
	if err != nil || string(text) != "sh -i 40x100: hello" {
		t.Errorf("%q, %v", text, err)
	}
	if _, _, err := socket.Read(t.Context()); !strings.Contains(err.Error(), "exit status 7") {
		t.Error(err)
	}
	if _, answer, err := websocket.Dial(t.Context(), server.URL+path, nil); err == nil || answer.StatusCode != 404 {
		t.Errorf("a console that was opened already: %v", err)
	}
	socket, _ = open("wrong")
	if _, _, err := socket.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("with a wrong password: %v", err)
	}
}
