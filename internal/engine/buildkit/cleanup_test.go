package buildkit_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// dataFolder makes a data folder that goes with the test.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "drydock-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing the data folder: %v", err)
		}
	})
	return dir
}

// stubborn are scripts that are hard to stop.
var stubborn = map[string]string{
	"sleeping": "sleep 1000",
	"deaf":     "trap '' TERM INT HUP; while :; do sleep 1; done",
	"forking":  "while :; do sleep 1000 & sleep 0.01; done",
	"writing":  "yes",
	"orphans":  "(setsid sleep 1000 &) ; exec sleep 1000",
}

// stopTime is how long a run may take to stop, by the word.
const stopTime = 5 * time.Second

// Nothing is left of a run, however it ended.
func TestCleanUp(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	reg := newRegistry(t, registry.Options{}, "busybox")
	root := dataFolder(t)
	before := dump(t, root)
	e, err := buildkit.New(t.Context(), buildkit.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	busybox := reg.Host + "/busybox"
	// The first build makes what all builds share.
	first := openRun(t, e, "-- Dockerfile --\nFROM "+busybox+"\nRUN echo first\n")
	first.build(".")
	first.close()
	idle := dump(t, root)
	for name, scenario := range map[string]func(r *testRun){
		"Success": func(r *testRun) {
			r.write("-- Dockerfile --\nFROM " + busybox + "\nRUN echo built >/file\n")
			r.build("-t", "made", ".")
			wantEqual(r.t, "output", r.run("made", "cat /file"), "built\n")
			server, _ := r.box("web", busybox, "httpd", "-f")
			server.Ports = []string{"80"}
			r.start(server)
			during := kinds(dump(r.t, root))
			for _, kind := range []string{"mount", "netns", "link", "nftables", "cgroup", "runc", "run", "process"} {
				if during[kind] <= kinds(before)[kind] {
					r.t.Errorf("the dump shows no %s of a run: the test tests nothing", kind)
				}
			}
		},
		"Failure": func(r *testRun) {
			c, _ := r.box("bad", busybox, "false")
			wantExit(r.t, r.Run(r.t.Context(), c), 1)
			c, _ = r.box("bad", busybox, "no-such-program")
			wantExit(r.t, r.Run(r.t.Context(), c), 127)
			c, _ = r.box("bad", busybox, "sh", "-c", "mkdir -p /a/b; mount --bind /a /b; exit 9")
			wantExit(r.t, r.Run(r.t.Context(), c), 9)
			r.write("-- Dockerfile --\nFROM " + busybox + "\nRUN exit 3\n")
			_ = r.buildError(".")
		},
		"CloseWhileRunning": func(r *testRun) {
			for name, script := range stubborn {
				c, _ := r.box(name, busybox, "sh", "-c", script)
				c.Stdout, c.Stderr = io.Discard, io.Discard
				r.start(c)
			}
		},
		"Cancel": func(r *testRun) { cancelAll(r, busybox) },
	} {
		t.Run(name, func(t *testing.T) {
			r := openRun(t, e, "")
			scenario(r)
			closing := time.Now()
			r.close()
			if took := time.Since(closing); took > stopTime {
				t.Errorf("closing the run took %s", took)
			}
			wantDump(t, root, idle)
		})
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	wantDump(t, root, before)
}

// cancelAll starts containers and a build, and cancels their context as Ctrl-C
// does.
func cancelAll(r *testRun, busybox string) {
	ctx, cancel := context.WithCancelCause(r.t.Context())
	defer cancel(nil)
	interrupt := errors.New("interrupted")
	ended := make(chan error)
	n := 0
	for name, script := range stubborn {
		started := make(chan struct{})
		c, _ := r.box(name, busybox, "sh", "-c", script)
		c.Stdout, c.Stderr, c.Started = io.Discard, io.Discard, func() { close(started) }
		n++
		go func() { ended <- r.Run(ctx, c) }()
		<-started
		r.write("-- " + name + ".Dockerfile --\nFROM " + busybox + "\nRUN echo ready && " + script + "\n")
		flags, err := buildflags.Parse([]string{"--no-cache", "-f", name + ".Dockerfile", "."})
		if err != nil {
			r.t.Fatal(err)
		}
		progress := &signalWriter{text: "ready\n", seen: make(chan struct{})}
		n++
		go func() {
			ended <- r.Build(ctx, engine.Build{StepID: name, Flags: flags, Dir: r.dir, Out: progress})
		}()
		<-progress.seen
	}
	// One that has not begun to run yet, too.
	n++
	c, _ := r.box("late", busybox, "sleep", "1000")
	go func() { ended <- r.Run(ctx, c) }()
	canceled := time.Now()
	cancel(interrupt)
	for range n {
		err := <-ended
		if err == nil {
			r.t.Error("something that was canceled succeeded")
		}
		var exit *drydock.ExitError
		if errors.As(err, &exit) {
			r.t.Errorf("a canceled step failed by itself: %v", err)
		}
	}
	if took := time.Since(canceled); took > stopTime {
		r.t.Errorf("stopping took %s", took)
	}
}

// signalWriter waits for a text.
type signalWriter struct {
	text string
	all  strings.Builder
	seen chan struct{}
	done bool
}

func (w *signalWriter) Write(p []byte) (int, error) {
	if !w.done {
		w.all.Write(p)
		// The progress shows the command first, then its output.
		if strings.Contains(w.all.String(), " "+w.text) {
			w.done = true
			close(w.seen)
		}
	}
	return len(p), nil
}

// killedEnv tells the process that TestKilled kills which folder and image to use.
const killedEnv = "DRYDOCK_TEST_KILLED"

// The next start clears what a killed process left.
func TestKilled(t *testing.T) {
	t.Parallel()
	if where := os.Getenv(killedEnv); where != "" {
		root, image, _ := strings.Cut(where, " ")
		beKilled(t, root, image)
		return
	}
	if !alone(t) {
		return
	}
	reg := newRegistry(t, registry.Options{}, "busybox")
	root := dataFolder(t)
	before := dump(t, root)
	for round := range 3 {
		temp := t.TempDir()
		killChild(t, root, reg.Host+"/busybox", temp)
		if left := names(t, temp); len(left) > 0 {
			t.Errorf("round %d: the killed process left %v in the machine's folder for temporary files", round, left)
		}
		if left := kinds(dump(t, root)); left["mount"] <= kinds(before)["mount"] || left["cgroup"] == 0 || left["runc"] == 0 || left["netns"] == 0 || left["temp"] == 0 {
			t.Errorf("round %d: the killed process left %v: the test tests nothing", round, left)
		}
		if round == 1 {
			continue // and once more on top of what is left
		}
		e, err := buildkit.New(t.Context(), buildkit.Config{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		r := openRun(t, e, "")
		wantEqual(t, "output", r.run(reg.Host+"/busybox", "echo works"), "works\n")
		r.write("-- Dockerfile --\nFROM " + reg.Host + "/busybox\nRUN echo fine\n")
		r.build("--no-cache", ".")
		r.close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		wantDump(t, root, before)
	}
}

// killChild starts a process with a container, a RUN and a network, and kills
// it once they run. The machine's folder for temporary files is temp to it.
func killChild(t *testing.T, root, image, temp string) {
	t.Helper()
	child := exec.Command("/proc/self/exe", "-test.run", "^TestKilled$")
	child.Env = append(os.Environ(), killedEnv+"="+root+" "+image, "TMPDIR="+temp)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		t.Log(lines.Text())
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // says that it was killed
}

// beKilled runs things until the process is killed.
func beKilled(t *testing.T, root, image string) {
	e, err := buildkit.New(t.Context(), buildkit.Config{Root: root, OwnsProcess: true})
	if err != nil {
		t.Fatal(err)
	}
	// A secret is in a temporary mount.
	r := openRun(t, e, "-- secret --\ns3cret\n-- Dockerfile --\nFROM "+image+"\nRUN --mount=type=secret,id=s echo ready && sleep 1000\n")
	for name, script := range stubborn {
		c, _ := r.box(name, image, "sh", "-c", script)
		c.Stdout, c.Stderr = io.Discard, io.Discard
		r.start(c)
	}
	flags, err := buildflags.Parse([]string{"--no-cache", "--secret", "id=s,src=secret", "."})
	if err != nil {
		t.Fatal(err)
	}
	progress := &signalWriter{text: "ready\n", seen: make(chan struct{})}
	go func() {
		_ = r.Build(t.Context(), engine.Build{StepID: "b", Flags: flags, Dir: r.dir, Out: progress})
	}()
	<-progress.seen
	fmt.Println("ready")
	select {}
}

// What a process leaves while it opens the folder is cleared as well, and a
// folder is found by any of its names.
func TestFolderByOtherNames(t *testing.T) {
	t.Parallel()
	root := dataFolder(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	e, err := buildkit.New(t.Context(), buildkit.Config{Root: link})
	if err != nil {
		t.Fatal(err)
	}
	_, err = buildkit.New(t.Context(), buildkit.Config{Root: root})
	wantError(t, err, drydock.Unavailable, "another drydockd", "--data")
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// A second executor waits for the first to let go of the folder, and says so.
func TestWaitForFolder(t *testing.T) {
	t.Parallel()
	root := dataFolder(t)
	first, err := buildkit.New(t.Context(), buildkit.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	said := make(chan string, 1)
	config := buildkit.Config{Root: root, Wait: true, Warn: func(format string, args ...any) {
		said <- fmt.Sprintf(format, args...)
	}}
	type opened struct {
		e   *buildkit.Executor
		err error
	}
	result := make(chan opened, 1)
	wait := func() {
		e, err := buildkit.New(ctx, config)
		result <- opened{e, err}
	}
	go wait()
	wantContains(t, "the warning", <-said, "waiting", root)
	cancel(errors.New("tired"))
	got := <-result
	wantError(t, got.err, drydock.Unavailable, "another drydockd")
	wantContains(t, "the error", got.err.Error(), "tired")

	ctx = t.Context()
	go wait()
	<-said
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	got = <-result
	if got.err != nil {
		t.Fatal(got.err)
	}
	if err := got.e.Close(); err != nil {
		t.Error(err)
	}
}
