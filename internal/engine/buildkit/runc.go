package buildkit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	logFile := filepath.Join(c.dir, "runc.log")
	cmd := exec.Command(r.machine.runc, "--root", r.stateDir(), "--log", logFile, "--log-format", "json",
		"run", "--bundle", c.dir, "--pid-file", filepath.Join(c.dir, "pid"), c.id)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, c.Stdout, c.Stderr
	// Ctrl-C in a terminal is for us, not for the containers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	killed := c.session.cgroup.oomKills()
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
	return c.outcome(err, logFile, killed)
}

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
		killGroup(c.session.cgroup.path+"/"+filepath.Base(c.dir), c.session.cgroup.v2 != nil)
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
		if info, err := os.Stat(filepath.Join(c.dir, "pid")); err == nil && info.Size() > 0 {
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
func (c *container) outcome(err error, logFile string, killsBefore uint64) error {
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("running the container: %w", err)
	}
	if message := runcError(logFile); message != "" {
		return c.startError(message)
	}
	status := exit.ExitCode()
	if status < 0 {
		status = 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
	}
	result := &drydock.ExitError{Status: status}
	if c.session.cgroup.oomKills() > killsBefore {
		result.Reason = "out of memory: the run may use " + memoryText(c.session.limits.Memory)
	}
	return result
}

// runcError returns what runc itself failed at; empty when it was the process.
func runcError(logFile string) string {
	data, err := os.ReadFile(logFile)
	if err != nil {
		return ""
	}
	var last string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var entry struct{ Level, Msg string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Level == "error" {
			last = entry.Msg
		}
	}
	return last
}

// startError says why a process did not start, with the status that docker
// gives it.
func (c *container) startError(message string) error {
	_, cause, found := strings.Cut(message, "exec: ")
	if !found {
		return drydock.Errorf(drydock.Failed, "starting a container of image %s: %s", c.Image, message)
	}
	switch {
	case strings.Contains(cause, "permission denied"):
		return &drydock.ExitError{Status: 126, Reason: cause + " (make the file executable with chmod +x, and commit its mode)"}
	case strings.Contains(cause, "not found"), strings.Contains(cause, "no such file"):
		return &drydock.ExitError{Status: 127, Reason: cause}
	}
	return &drydock.ExitError{Status: 126, Reason: cause}
}
