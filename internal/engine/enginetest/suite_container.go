package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

func testStatus(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("status", "exit 7")
	wantStatus(t, session.Run(t.Context(), c), 7)
	c, _, _ = s.sh("status", "exit 0")
	if err := session.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func testStreams(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, stdout, stderr := s.sh("streams", "cat; echo two >&2; echo three")
	c.Stdin = strings.NewReader("one\n")
	if err := session.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantText(t, "stdout", stdout.String(), "one\nthree\n")
	wantText(t, "stderr", stderr.String(), "two\n")
	c, stdout, _ = s.sh("nostdin", "cat; echo end")
	if err := session.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantText(t, "stdout without a stdin", stdout.String(), "end\n")
}

// testPipe joins two containers by a pipe of the operating system, as a
// script's pipeline does.
func testPipe(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, _, _ := s.sh("from", "echo through the pipe")
	from.Stdout = w
	to, stdout, _ := s.sh("to", "cat; echo end")
	to.Stdin = r
	done := make(chan error, 1)
	go func() { done <- errors.Join(session.Run(t.Context(), to), r.Close()) }()
	if err := errors.Join(session.Run(t.Context(), from), w.Close(), <-done); err != nil {
		t.Fatal(err)
	}
	wantText(t, "stdout", stdout.String(), "through the pipe\nend\n")
}

// testUnreadStdin runs a container that ends while its stdin stays open and
// silent, as behind a command of a pipeline that runs on.
func testUnreadStdin(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	c, _, _ := s.sh("deaf", "echo done")
	c.Stdin = r
	wantText(t, "output", mustRun(t, session, c), "done\n")
}

// testMuchOutput checks that no byte is lost between a container and its
// streams, binary ones included.
func testMuchOutput(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	var all strings.Builder
	for i := range 1 << 20 {
		all.WriteByte(byte(i * i >> 7))
	}
	f, err := session.OpenFile(workspace, "big", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(f, all.String())
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	c, stdout, stderr := s.sh("much", "cat big; cat >&2")
	c.Stdin = strings.NewReader(all.String())
	if err := session.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != all.String() || stderr.String() != all.String() {
		t.Errorf("%d bytes on stdout and %d on stderr differ from the %d written",
			len(stdout.String()), len(stderr.String()), all.Len())
	}
}

func testParallel(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			c, stdout, _ := s.sh(fmt.Sprintf("many%d", i), fmt.Sprintf("echo %d; exit %d", i, i))
			err := session.Run(t.Context(), c)
			var exit *drydock.ExitError
			if i > 0 && (!errors.As(err, &exit) || exit.Status != i) || i == 0 && err != nil {
				t.Errorf("container %d: %v", i, err)
			}
			if got := stdout.String(); got != fmt.Sprintf("%d\n", i) {
				t.Errorf("container %d wrote %q", i, got)
			}
		})
	}
	wg.Wait()
}

func testEnv(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("env", `echo "$A|$B|$C"`)
	c.Env = []string{"A=1", "B=two words", "C=", "A=last=wins"}
	wantText(t, "output", mustRun(t, session, c), "last=wins|two words|\n")
}

func testWorkingDirectory(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("prepare", "mkdir -p sub/deep")
	mustRun(t, session, c)
	for dir, want := range map[string]string{
		"/workspace":     "/workspace\n",
		"sub":            "/workspace/sub\n",
		"/workspace/sub": "/workspace/sub\n",
		"sub/deep":       "/workspace/sub/deep\n",
	} {
		c, _, _ := s.sh("pwd", "pwd")
		c.Dir = dir
		wantText(t, "directory of "+dir, mustRun(t, session, c), want)
	}
}

func testEntryPoint(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("entry", "")
	c.EntryPoint, c.Args = "sh -c", []string{"echo from the entry point"}
	wantText(t, "output", mustRun(t, session, c), "from the entry point\n")
}

func testUnknownImage(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("unknown", "exit 0")
	c.Image = s.Registry + "/no/such/image:1"
	c.Started = func() { t.Error("it was started") }
	silent(t, session.Run(t.Context(), c), "no/such/image")
}

func testPrivileged(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("root", "exit 0")
	c.Privileged = true
	err := session.Run(t.Context(), c)
	if drydock.CodeOf(err) != drydock.Denied {
		t.Fatalf("error is %v, want one with code %s", err, drydock.Denied)
	}
}

func testNameInUse(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	ctx, cancel := context.WithCancel(t.Context())
	c, _, _ := s.sh("twin", "sleep 600")
	done := started(t, ctx, session, c)
	other, _, _ := s.sh("twin", "exit 0")
	silent(t, session.Run(t.Context(), other), "twin")
	cancel()
	<-done
	mustRun(t, session, other)
}

func testCancel(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	ctx, cancel := context.WithCancel(t.Context())
	c, _, _ := s.sh("endless", "echo here; sleep 600; echo there")
	done := started(t, ctx, session, c)
	cancel()
	if err := <-done; err == nil {
		t.Fatal("a canceled container succeeded")
	}
	c.Args[2] = "exit 0"
	mustRun(t, session, c)
}

func testTimeout(t *testing.T, s *suite) {
	session := s.open(t, s.newSpec())
	c, _, _ := s.sh("warm", "exit 0")
	mustRun(t, session, c)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	c, _, _ = s.sh("slow", "sleep 600")
	if err := session.Run(ctx, c); err == nil {
		t.Fatal("a container ended well after its timeout")
	}
	c, _, _ = s.sh("slow", "exit 0")
	mustRun(t, session, c)
}

func testCloseWhileRunning(t *testing.T, s *suite) {
	session, err := s.Executor.Open(t.Context(), s.newSpec())
	if err != nil {
		t.Fatal(err)
	}
	c, _, _ := s.sh("left", "sleep 600")
	done := started(t, t.Context(), session, c)
	if err := session.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-done; err == nil {
		t.Error("a container succeeded though its session was closed")
	}
	if err := session.Run(t.Context(), c); err == nil {
		t.Error("a closed session ran a container")
	}
}
