package runnet_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// childEnv names what a copy of the test program does instead of testing.
const childEnv = "RUNNET_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "", "machine":
		os.Exit(m.Run())
	case "run":
		childRun(os.Getenv("RUNNET_TEST_PREFIX"))
	case "new":
		_, err := runnet.New(context.Background(), runnet.Config{Prefix: "ddnone"})
		fmt.Println(err)
	}
}

// childRun opens a run, prints where it is, and closes when its standard input
// ends.
func childRun(prefix string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	m, err := runnet.New(ctx, runnet.Config{Prefix: prefix})
	fail(err)
	r, err := m.OpenRun(ctx, "child", nil, runnet.RunOptions{})
	fail(err)
	_, err = r.Attach(ctx, runnet.Endpoint{Name: "step", Ports: []string{"8080:80"}})
	fail(err)
	fmt.Println(r.HostPath())
	_, _ = io.Copy(io.Discard, os.Stdin)
	fail(m.Close())
}

// child is a process with an open run.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	path  string // of the run's namespace
}

func startChild(t *testing.T, prefix string) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"=run", "RUNNET_TEST_PREFIX="+prefix)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "/run/netns/") {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return &child{cmd, stdin, strings.TrimSpace(line)}
}

// kill ends the child as nothing can be caught.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // says that it was killed
}

// finish lets the child close what it has.
func (c *child) finish(t *testing.T) {
	t.Helper()
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the child: %v", err)
	}
}
