package buildkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/drydockhq/drydock"
)

// run carries out the container's process.
func (c *container) run(ctx context.Context) error {
	stdin, closeStdin, err := input(c.Stdin)
	if err != nil {
		return fmt.Errorf("opening the container's input: %w", err)
	}
	defer closeStdin()
	r := c.session.executor.runtime
	logFile := filepath.Join(c.bundle, "runc.log")
	cmd := exec.Command(r.machine.runc, "--root", r.stateDir(), "--log", logFile, "--log-format", "json",
		// The counters of its control group say why a container failed.
		"run", "--keep", "--bundle", c.bundle, "--pid-file", c.pidFile(), c.id)
	stderr := &startErrors{w: c.Stderr}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, c.Stdout, stderr.writer()
	// Ctrl-C in a terminal is for us, not for the containers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return drydock.Errorf(drydock.Unavailable, "starting runc: %w", err)
	}
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.watch(ctx, cmd.Process, ended)
	}()
	err = cmd.Wait()
	close(ended)
	<-watched
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.outcome(err, logFile, stderr)
}

// pidFile is where runc writes the id of the container's first process.
func (c *container) pidFile() string { return filepath.Join(c.bundle, "pid") }

// watch tells when the container runs, and kills it when ctx ends.
func (c *container) watch(ctx context.Context, runc *os.Process, ended <-chan struct{}) {
	const poll = 2 * time.Millisecond
	if c.Started != nil && c.awaitStart(ctx, ended, poll) {
		c.Started()
	}
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	const patience = 100 // rounds until runc itself is killed
	for round := 0; ; round++ {
		c.group.kill()
		if round == patience {
			_ = runc.Kill()
		}
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// awaitStart waits for runc to write the process's id, which it does when the
// container is ready, and reports whether it did.
func (c *container) awaitStart(ctx context.Context, ended <-chan struct{}, poll time.Duration) bool {
	for {
		if info, err := os.Stat(c.pidFile()); err == nil && info.Size() > 0 {
			return true
		}
		select {
		case <-ended:
			return false
		case <-ctx.Done():
			return false
		case <-time.After(poll):
		}
	}
}

// outcome turns the end of runc into the end of the step.
func (c *container) outcome(err error, logFile string, stderr *startErrors) error {
	if err == nil {
		return stderr.release()
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("running the container: %w", err)
	}
	if message := runcError(logFile); message != "" {
		return c.startError(message)
	}
	if err := stderr.release(); err != nil {
		return err
	}
	status := exit.ExitCode()
	if status < 0 {
		status = 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
	}
	return &drydock.ExitError{Status: status, Reason: limitText(c.group, c.session.limits)}
}
