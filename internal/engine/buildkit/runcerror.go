package buildkit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/drydockhq/drydock"
)

// startErrors is a container's standard error without what runc itself writes
// there when it can't start the container: the step's error says it.
type startErrors struct {
	w    io.Writer
	seen bool
	held []byte // may be runc's
}

// maxStartError is far more than runc ever writes.
const maxStartError = 64 << 10

// writer returns where runc is to write. A file goes to the container itself.
func (s *startErrors) writer() io.Writer {
	if f, ok := s.w.(*os.File); ok {
		return f
	}
	return s
}

// Write hands on what comes unless it begins as an error of runc's.
func (s *startErrors) Write(p []byte) (int, error) {
	if s.held != nil || !s.seen && bytes.HasPrefix(p, []byte("runc run failed: ")) {
		s.held = append(s.held, p...)
		// runc has one line to say.
		if len(s.held) > maxStartError {
			if err := s.release(); err != nil {
				return 0, err
			}
		}
		return len(p), nil
	}
	s.seen = true
	return s.w.Write(p)
}

// release hands on what was held back: runc has started the container.
func (s *startErrors) release() error {
	held := s.held
	s.seen, s.held = true, nil
	if len(held) == 0 {
		return nil
	}
	_, err := s.w.Write(held)
	return err
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
		return &drydock.ExitError{Status: notExecutable, Reason: cause + " (" + chmodHint + ")"}
	case strings.Contains(cause, "not found"), strings.Contains(cause, "no such file"):
		return &drydock.ExitError{Status: 127, Reason: cause + c.files.programHint()}
	}
	return &drydock.ExitError{Status: notExecutable, Reason: cause}
}
