package buildkit_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/internal/logs"
	"github.com/drydockhq/drydock/test/registry"
)

// A step that writes 1 GiB in one line makes the process grow by no more than
// 200 MB, on its way into the log too.
func TestOneLongLine(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	const gib, most = 1 << 30, 200 << 20
	reg := newRegistry(t, registry.Options{}, "busybox")
	e := newExecutor(t, buildkit.Config{})
	masker := logs.NewMasker()
	counter := &countingWriter{}
	log := logs.New(logs.Options{Renderer: logs.NewText(counter), Masker: masker})
	run := func(id, script string) {
		t.Helper()
		_, err := (&engine.Engine{Executor: e, Log: log, Secrets: masker}).Run(t.Context(), &drydock.Plan{
			Steps: []drydock.Step{{
				ID: id, Cmd: reg.Host + "/busybox sh -c '" + script + "'", Network: drydock.DefaultNetwork, Timeout: time.Hour,
			}},
			Networks:     []drydock.Network{{Name: drydock.DefaultNetwork, IsDefault: true}},
			SecretValues: []string{"hunter2hunter2"},
		}, engine.RunSpec{ID: id})
		if err != nil {
			t.Fatal(err)
		}
	}
	run("warm", "echo warm")
	runtime.GC()
	before := peak(t)
	run("long", "head -c 1073741824 /dev/zero | tr \"\\\\0\" x; echo >&2; head -c 1048576 /dev/urandom")
	grown := peak(t) - before
	t.Logf("the process grew by %d MB", grown>>20)
	if grown > most {
		t.Errorf("the process grew by %d MB", grown>>20)
	}
	if counter.n < gib {
		t.Errorf("the log has %d bytes, want at least %d", counter.n, gib)
	}
}

type countingWriter struct{ n int64 }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.n += int64(len(p))
	return len(p), nil
}

// peak returns the most memory that the process has had, in bytes.
func peak(t *testing.T) int64 {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(kb)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("the kernel does not say VmHWM")
	return 0
}

// A hundred containers and some builds leave no goroutine and no file open.
func TestNoLeaks(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	reg := newRegistry(t, registry.Options{}, "busybox")
	e := newExecutor(t, buildkit.Config{})
	busybox := reg.Host + "/busybox"
	round := func() {
		r := openRun(t, e, "-- Dockerfile --\nFROM "+busybox+"\nRUN echo $RANDOM\n")
		for range 10 {
			r.run(busybox, "true")
			_, _ = r.tryRun(busybox, "false")
			_, _ = r.tryRun(busybox, "no-such-program")
		}
		c, _ := r.box("reader", busybox, "cat")
		c.Stdin = io.LimitReader(strings.NewReader("some text"), 4)
		r.mustRun(c)
		server, _ := r.box("web", busybox, "sleep", "1000")
		ctx, cancel := context.WithCancel(t.Context())
		started, ended := make(chan struct{}), make(chan error)
		server.Started = func() { close(started) }
		go func() { ended <- r.Run(ctx, server) }()
		<-started
		cancel()
		<-ended
		r.build("--no-cache", ".")
		r.close()
	}
	round()
	goroutines, files := settled()
	const rounds = 3
	for range rounds {
		round()
	}
	after, filesAfter := settled()
	for origin, n := range after {
		// It sleeps for 10 s and ends.
		if strings.HasSuffix(origin, "solver.(*Job).Discard") {
			continue
		}
		if n >= goroutines[origin]+rounds {
			t.Errorf("%d goroutines made by %s became %d", goroutines[origin], origin, n)
		}
	}
	if filesAfter >= files+rounds {
		t.Errorf("%d open files became %d", files, filesAfter)
	}
}

// settled returns the number of goroutines by what made them, and that of open files, when they have
// stopped falling.
func settled() (goroutines map[string]int, files int) {
	http.DefaultClient.CloseIdleConnections()
	last := -1
	for range 50 {
		time.Sleep(100 * time.Millisecond)
		n := runtime.NumGoroutine()
		if n == last {
			break
		}
		last = n
	}
	goroutines = map[string]int{}
	buf := make([]byte, 4<<20)
	for line := range strings.Lines(string(buf[:runtime.Stack(buf, true)])) {
		if origin, ok := strings.CutPrefix(line, "created by "); ok {
			origin, _, _ = strings.Cut(strings.TrimSpace(origin), " in goroutine")
			goroutines[origin]++
		}
	}
	entries, _ := os.ReadDir("/proc/self/fd")
	return goroutines, len(entries)
}

// Output is bytes, whatever they mean.
func TestBinaryOutput(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	out := r.run(busybox, `printf '\000\377\376\r\n\033[31m\200'; head -c 100000 /dev/urandom >r; cat r r | head -c 100000 | cmp - r && printf same`)
	wantEqual(t, "output", out, "\x00\xff\xfe\r\n\x1b[31m\x80same")
}
