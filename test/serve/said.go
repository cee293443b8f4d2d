package serve

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// WaitSaid waits until the server's log has a text.
func (s *Server) WaitSaid(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(s.Log(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatal("the server does not say ", text)
		}
	}
}

// Dump ends the server as Go's programs crash, with what each goroutine does, which
// is in its log then.
func (s *Server) Dump() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		s.t.Fatal(err)
	}
	<-s.exited
	s.cmd, s.killed = nil, true
}

// PeakMemory returns how much memory the server ever had, in KiB.
func (s *Server) PeakMemory() int {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		s.t.Fatal("no VmHWM in ", string(text))
	}
	kib, err := strconv.Atoi(string(m[1]))
	if err != nil {
		s.t.Fatal(err)
	}
	return kib
}
