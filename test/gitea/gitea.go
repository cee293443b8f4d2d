// Package gitea runs a real git host for tests: Gitea, as a program on a free
// port with a data folder of its own.
package gitea

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/drydockhq/drydock/test/transcript"
)

// TB is what this package needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Fatal(args ...any)
	Failed() bool
	Logf(format string, args ...any)
}

// nobody is whom Gitea runs as, which refuses to be root.
const nobody = 65534

// Server is a Gitea that runs.
type Server struct {
	URL string // without a final slash

	t   TB
	dir string // of everything
	cmd *exec.Cmd
	log transcript.Buffer
	// Of the administrator.
	user, password string
}

// installed is what the servers of the process share: the program and its files,
// where nobody can read them. The last server removes it.
var installed struct {
	mu   sync.Mutex
	dir  string
	uses int
}

func install(t TB) (string, error) {
	installed.mu.Lock()
	defer installed.mu.Unlock()
	if installed.dir == "" {
		dir, err := installIn(t.Context())
		if err != nil {
			return "", errors.Join(err, os.RemoveAll(dir))
		}
		installed.dir = dir
	}
	installed.uses++
	t.Cleanup(func() {
		installed.mu.Lock()
		defer installed.mu.Unlock()
		if installed.uses--; installed.uses == 0 {
			_ = os.RemoveAll(installed.dir)
			installed.dir = ""
		}
	})
	return installed.dir, nil
}

func installIn(ctx context.Context) (dir string, err error) {
	from, err := program(ctx)
	if err != nil {
		return "", err
	}
	files, err := source(ctx)
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "drydock-gitea-"); err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	for _, name := range []string{"templates", "options", "public"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(files, name))); err != nil {
			return dir, fmt.Errorf("copying Gitea's files: %w", err)
		}
	}
	program := filepath.Join(dir, "gitea")
	if os.Link(from, program) == nil { // it is large
		return dir, nil
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return dir, err
	}
	return dir, os.WriteFile(program, text, 0o755)
}

// Start starts a server that ends with the test.
func Start(t TB) *Server {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("Gitea runs as another user, for which this needs root: run the tests with `make test`")
	}
	static, err := install(t)
	if err != nil {
		t.Fatal("building Gitea: ", err)
	}
	s := &Server{t: t, user: "root", password: rand.Text()}
	if s.dir, err = os.MkdirTemp("", "drydock-gitea-data-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Gitea's log:\n%s", s.log.String())
		}
		_ = os.RemoveAll(s.dir)
	})
	if err := os.Chown(s.dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	s.configure(static)
	s.mustRun(static, "migrate")
	s.mustRun(static, "admin", "user", "create", "--admin", "--username", s.user, "--password", s.password,
		"--email", "root@git.example", "--must-change-password=false")
	s.launch(static)
	return s
}

const configuration = `APP_NAME = Gitea
RUN_USER = nobody
RUN_MODE = prod
WORK_PATH = %[1]s
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %[2]s
ROOT_URL = http://127.0.0.1:%[2]s/
STATIC_ROOT_PATH = %[3]s
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = %[1]s/gitea.db
[repository]
ROOT = %[1]s/repositories
ENABLE_PUSH_CREATE_USER = false
[security]
INSTALL_LOCK = true
SECRET_KEY = %[4]s
INTERNAL_TOKEN = %[5]s
PASSWORD_HASH_ALGO = pbkdf2_v1
[oauth2]
JWT_SECRET = %[6]s
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = loopback
DELIVER_TIMEOUT = 10
[log]
MODE = console
LEVEL = Warn
[queue]
TYPE = channel
[indexer]
ISSUE_INDEXER_TYPE = db
[cron]
ENABLED = false
[actions]
ENABLED = false
[packages]
ENABLED = false
`

// configure writes the configuration, with a port that is free now.
func (s *Server) configure(static string) {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.URL = "http://" + l.Addr().String()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		s.t.Fatal(err)
	}
	text := fmt.Sprintf(configuration, s.dir, port, static, rand.Text(), rand.Text(), strings.Repeat("A", 43))
	if err := os.WriteFile(s.file(), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chown(s.file(), nobody, nobody); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) file() string { return filepath.Join(s.dir, "app.ini") }

func (s *Server) command(static string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(static, "gitea"), append(args, "--config", s.file(), "--work-path", s.dir)...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "USER=nobody", "GIT_CONFIG_NOSYSTEM=1", "TMPDIR=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Setpgid: true, Pdeathsig: syscall.SIGKILL,
	}
	return cmd
}

// mustRun runs a command of Gitea to its end.
func (s *Server) mustRun(static string, args ...string) {
	s.t.Helper()
	if out, err := s.command(static, args...).CombinedOutput(); err != nil {
		s.t.Fatal("gitea ", args[0], ": ", err, "\n", string(out))
	}
}

func (s *Server) launch(static string) {
	s.t.Helper()
	s.cmd = s.command(static, "web")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // the log says why
		close(exited)
	}()
	s.t.Cleanup(func() { s.stop(exited) })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(s.URL + "/api/v1/version"); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-exited:
			s.t.Fatal("Gitea has ended\n", s.log.String())
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatal("Gitea does not answer\n", s.log.String())
		}
	}
}

// stop ends the server, with the processes of git that it has.
func (s *Server) stop(exited <-chan struct{}) {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Logf("ending Gitea: %v", err)
	}
	select {
	case <-exited:
	case <-time.After(20 * time.Second):
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // what is left, if anything
	<-exited
}
