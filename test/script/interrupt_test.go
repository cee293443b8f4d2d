package script_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// grace is how long a run may take to end after Ctrl-C.
const grace = 5 * time.Second

// interrupt runs drydockd until it has printed a text, sends it SIGINT and waits
// for its end.
func interrupt(ts *testscript.TestScript, args []string) error {
	w := of(ts)
	out := &watched{text: args[0], found: make(chan struct{})}
	cmd := exec.CommandContext(w.ctx, "sh", append([]string{w.work + "/.bin/drydockd"}, args[1:]...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME")}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-out.found:
	case err := <-ended:
		return fmt.Errorf("it ended before it printed %q: %v\n%s", args[0], err, out)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-ended:
	case <-time.After(grace):
		_ = cmd.Process.Kill()
		<-ended
		return fmt.Errorf("it was still running %s after the signal:\n%s", grace, out)
	}
	w.status = cmd.ProcessState.ExitCode()
	w.outputs.WriteString(out.String())
	_, err := fmt.Fprint(ts.Stdout(), out)
	return err
}

// watched is an output that says when it holds a text.
type watched struct {
	text  string
	found chan struct{}

	mu   sync.Mutex
	seen bool
	b    bytes.Buffer
}

// Write takes part of the output.
func (o *watched) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Write(p)
	if !o.seen && strings.Contains(o.b.String(), o.text) {
		o.seen = true
		close(o.found)
	}
	return len(p), nil
}

// String returns what was written so far.
func (o *watched) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
