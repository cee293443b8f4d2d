package script_test

import (
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock/test/transcript"
)

// grace is how long a run may take to end after Ctrl-C.
const grace = 5 * time.Second

// interrupt runs drydockd until it has printed a text, sends it SIGINT and waits
// for its end.
func interrupt(ts *testscript.TestScript, args []string) error {
	w := of(ts)
	out := transcript.NewWatch(args[0])
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
	case <-out.Found:
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
