// Package serve runs drydockd for tests that need a whole server: as a program,
// on a free port and a data folder of its own, with clients that reach its hosts
// by their names and trust its certificate.
package serve

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/transcript"
)

// TB is what this package needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Fatal(args ...any)
	Error(args ...any)
	Failed() bool
	Logf(format string, args ...any)
	TempDir() string
}

// Domain is the domain of the servers.
const Domain = "drydock.test"

// Options say how a server is run.
type Options struct {
	Program string   // drydockd; what Program returns if empty
	Data    string   // folder; a temporary one if empty
	Domain  string   // Domain if empty
	Args    []string // more flags of `drydockd serve`
	Env     []string // NAME=value, beside those of the test
	CA      []byte   // PEM, for a server with a certificate from elsewhere
	Machine *Machine // that it runs on, if that is not this one
	Closed  bool     // as it is without settings: sources and webhooks reach nothing of its machine
}

// Server is a server that runs, or ran.
type Server struct {
	Data   string
	Domain string
	Addr   string // of its listener
	Port   string
	CA     []byte // PEM

	// Of the admin, from the first start on the data folder.
	Tenant, ClientID, Secret string

	t      TB
	o      Options
	cmd    *exec.Cmd
	stdout *transcript.Buffer
	stderr *transcript.Buffer
	exited chan struct{} // closed when the program has ended
	err    error         // of the program, once exited
	killed bool          // at the end of its last life
}

var (
	buildOnce sync.Once
	program   string
	errBuild  error
)

// Program builds drydockd once for the process and returns its path.
func Program(t TB) string {
	t.Helper()
	buildOnce.Do(func() {
		if path := os.Getenv("DRYDOCKD_PROGRAM"); path != "" {
			program = path
			return
		}
		dir, err := os.MkdirTemp("", "drydockd-")
		if err != nil {
			errBuild = err
			return
		}
		program = filepath.Join(dir, "drydockd")
		errBuild = gotool.Build(t.Context(), ".", program, "github.com/drydockhq/drydock/cmd/drydockd")
	})
	if errBuild != nil {
		t.Fatal(errBuild)
	}
	return program
}

// Clean removes what Program built; for TestMain.
func Clean() {
	if program != "" && os.Getenv("DRYDOCKD_PROGRAM") == "" {
		_ = os.RemoveAll(filepath.Dir(program))
	}
}

// Start starts a server and waits until it serves. It is stopped with the test.
func Start(t TB, o Options) *Server {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("containers need root: run the tests with `make test`")
	}
	if o.Data == "" {
		o.Data = filepath.Join(t.TempDir(), "data")
	}
	if o.Program == "" {
		o.Program = Program(t)
	}
	s := &Server{Data: o.Data, Domain: cmp.Or(o.Domain, Domain), t: t, o: o, stdout: &transcript.Buffer{}, stderr: &transcript.Buffer{}}
	t.Cleanup(func() {
		var err error
		switch {
		case s.cmd != nil:
			err = s.Stop()
		case s.killed:
			err = s.sweep()
		}
		if err != nil {
			t.Error("stopping the server: ", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.Log())
		}
	})
	s.launch()
	return s
}

// On returns the server for another test, for its clients. Only the test that
// started the server stops it.
func (s *Server) On(t TB) *Server {
	other := *s
	other.t = t
	return &other
}

// Restart starts the server again, on the same data folder and port.
func (s *Server) Restart() {
	s.t.Helper()
	s.launch()
}

// RestartWith is Restart with other flags than those of the options, after Kill
// or Stop.
func (s *Server) RestartWith(args ...string) {
	s.t.Helper()
	s.o.Args = args
	s.launch()
}

func (s *Server) launch() {
	s.t.Helper()
	listen := "127.0.0.1:0"
	if s.Port != "" {
		listen = "127.0.0.1:" + s.Port
	}
	args := append([]string{
		"serve", "--data", s.Data, "--domain", s.Domain, "--listen", listen, "--runs-drain=2s",
	}, s.o.Args...)
	if !s.o.Closed {
		args = append(args, "--sources-allow=127.0.0.0/8", "--webhooks-allow=127.0.0.0/8")
	}
	_, err := os.Stat(filepath.Join(s.Data, "drydock.db"))
	first := errors.Is(err, os.ErrNotExist)
	s.cmd = s.o.Machine.Command(context.Background(), s.o.Program, args...)
	s.cmd.Env = append(os.Environ(), s.o.Env...)
	// A panic of the test process must not leave a server behind.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Stdout = s.stdout
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	serving := make(chan string, 1)
	s.exited, s.killed = make(chan struct{}), false
	if err := startFor(s.cmd, s.exited); err != nil {
		s.t.Fatal(err)
	}
	go s.follow(stderr, serving)
	select {
	case s.Addr = <-serving:
	case <-s.exited:
		s.t.Fatal("the server ended: ", s.err, "\n", s.Log())
	case <-time.After(time.Minute):
		s.t.Fatal("the server does not serve\n", s.Log())
	}
	// What it printed before may still be on its way through a pipe.
	for first && !strings.Contains(s.Output(), "drydock group create") {
		time.Sleep(time.Millisecond)
	}
	s.learn()
}

// startFor starts a command from a thread that there is until something ends: the
// kernel takes the end of that thread for the end of the parent.
func startFor(cmd *exec.Cmd, end <-chan struct{}) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			<-end
		}
	}()
	return <-started
}

// follow reads the server's log until its end, and tells when it serves.
func (s *Server) follow(stderr io.Reader, serving chan<- string) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(s.stderr, lines.Text())
		var line struct{ Msg, Listen string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			serving <- line.Listen
		}
	}
	s.err = s.cmd.Wait()
	close(s.exited)
}

var credentialLine = regexp.MustCompile(`(?m)^  (tenant|client id|secret) +(\S+)$`)

// learn reads what the server said at its start.
func (s *Server) learn() {
	s.t.Helper()
	var err error
	if _, s.Port, err = net.SplitHostPort(s.Addr); err != nil {
		s.t.Fatal(err)
	}
	if s.CA = s.o.CA; s.CA == nil {
		if s.CA, err = os.ReadFile(filepath.Join(s.Data, "certs", "ca.pem")); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, m := range credentialLine.FindAllStringSubmatch(s.stdout.String(), -1) {
		switch m[1] {
		case "tenant":
			s.Tenant = m[2]
		case "client id":
			s.ClientID = m[2]
		case "secret":
			s.Secret = m[2]
		}
	}
}

// Kill ends the server at once, as a power cut would.
func (s *Server) Kill() {
	s.t.Helper()
	_ = s.cmd.Process.Kill() // it may have ended already
	<-s.exited
	s.cmd, s.killed = nil, true
}

// sweep removes what a killed server has left of its runs: containers, mounts,
// control groups and networks. The next start does that, or any other that opens
// the engine's folder.
func (s *Server) sweep() error {
	cmd := s.o.Machine.Command(context.Background(), s.o.Program, "du", "--data", filepath.Join(s.Data, "engine"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("removing what it left when it was killed: %w\n%s", err, out)
	}
	return nil
}

// Stop asks the server to end, waits for it, and returns its error.
func (s *Server) Stop() error {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
	case <-time.After(2 * time.Minute):
		s.Kill()
		return errors.Join(errors.New("the server did not end"), s.sweep())
	}
	s.cmd = nil
	var exit *exec.ExitError
	if errors.As(s.err, &exit) && exit.ExitCode() == 130 {
		return nil // the status after a signal
	}
	return s.err
}

// Log returns what the server logged so far.
func (s *Server) Log() string { return s.stderr.String() }

// Output returns what the server printed so far.
func (s *Server) Output() string { return s.stdout.String() }

// Memory returns how much memory the server has, in KiB.
func (s *Server) Memory() int {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		s.t.Fatal("no VmRSS in ", string(text))
	}
	kib, err := strconv.Atoi(string(m[1]))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("the server has %d KiB in memory", kib)
	return kib
}
