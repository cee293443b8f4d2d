package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// execution is a run of `drydockd exec`.
type execution struct {
	wall     time.Duration
	started  time.Duration // until the first step was begun
	printed  time.Duration // until the first line of a step's output
	steps    map[string]time.Duration
	peakSize int64         // of the process, in bytes
	busy     time.Duration // of the processors, with its children's
}

// sum returns how long the named steps took together.
func (e execution) sum(steps ...string) time.Duration {
	var sum time.Duration
	for _, id := range steps {
		sum += e.steps[id]
	}
	return sum
}

// dataFolder is the data folder of `drydockd exec`.
func (l *lab) dataFolder() string { return l.path("data") }

// execCommand is the command line of `drydockd exec` on the folder source.
func (l *lab) execCommand(ctx context.Context, source string, args ...string) *exec.Cmd {
	args = append([]string{"exec", "--data", l.dataFolder(), "--output", "json", "--registry", l.team.Host}, args...)
	cmd := exec.CommandContext(ctx, l.drydockd, append(args, source)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd
}

// exec carries a task out.
func (l *lab) exec(ctx context.Context, source string, args ...string) (execution, error) {
	cmd := l.execCommand(ctx, source, args...)
	var tail bytes.Buffer
	cmd.Stderr = &tail
	out, err := cmd.StdoutPipe()
	if err != nil {
		return execution{}, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return execution{}, err
	}
	e := execution{steps: map[string]time.Duration{}}
	readErr := e.read(io.TeeReader(out, &tail), start)
	err = wrapOutput(cmd.Wait(), cmd, tail.String())
	e.wall = time.Since(start)
	e.busy = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		e.peakSize = usage.Maxrss << 10
	}
	return e, errors.Join(err, readErr)
}

// entry is a line of the log, or the result at its end.
type entry struct {
	Stream string `json:"stream"`
	Line   string `json:"line"`
	Result *struct {
		Steps []struct {
			ID      string  `json:"id"`
			Seconds float64 `json:"seconds"`
		} `json:"steps"`
	} `json:"result"`
}

// read takes from the log when things happened.
func (e *execution) read(out io.Reader, start time.Time) error {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		now := time.Since(start)
		var line entry
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("reading the log of drydockd: %w", err)
		}
		if line.Result != nil {
			for _, step := range line.Result.Steps {
				e.steps[step.ID] = time.Duration(step.Seconds * float64(time.Second))
			}
		}
		if e.started == 0 && strings.HasPrefix(line.Line, "Executing step ID: ") {
			e.started = now
		}
		if e.printed == 0 && line.Stream == "stdout" {
			e.printed = now
		}
	}
	return lines.Err()
}
