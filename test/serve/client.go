package serve

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Client runs the client of a server, signed in as the admin. By default it is
// drydockd under the name az.
type Client struct {
	Program string
	Env     []string
	Dir     string   // working directory
	Machine *Machine // that it runs on
	Folder  string   // with its configuration and Docker's

	t TB
}

// LocalDomain is one whose hosts the client finds without a resolver.
const LocalDomain = "drydock.localhost"

// Client returns a client that has signed in. The domain of the server is
// LocalDomain, or its hosts are in the hosts file of the machine.
func (s *Server) Client(o Client) *Client {
	s.t.Helper()
	c := &o
	c.t, c.Folder = s.t, s.t.TempDir()
	if c.Program == "" {
		c.Program = filepath.Join(c.Folder, "az")
		if err := os.Symlink(s.o.Program, c.Program); err != nil {
			s.t.Fatal(err)
		}
	}
	ca := filepath.Join(c.Folder, "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		s.t.Fatal(err)
	}
	c.Env = append(os.Environ(), "DRYDOCK_CONFIG_DIR="+filepath.Join(c.Folder, "config"), "DOCKER_CONFIG="+filepath.Join(c.Folder, "docker"))
	c.Env = append(c.Env, o.Env...)
	c.Must("login", "--endpoint", "https://"+s.Host("management"), "--ca-file", ca,
		"--service-principal", "-u", s.ClientID, "-p", s.Secret, "--tenant", s.Tenant)
	return c
}

// Run returns what the client printed, and its exit status.
func (c *Client) Run(args ...string) (stdout, stderr string, status int) {
	c.t.Helper()
	return c.Exec(c.Program, args...)
}

// Exec runs another program with the client's environment.
func (c *Client) Exec(program string, args ...string) (stdout, stderr string, status int) {
	c.t.Helper()
	cmd := c.Machine.Command(c.t.Context(), program, args...)
	var out, problems bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Env, c.Dir, &out, &problems
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

// Must is Run for what has to succeed.
func (c *Client) Must(args ...string) string {
	c.t.Helper()
	return c.MustExec(c.Program, args...)
}

// MustExec is Exec for what has to succeed.
func (c *Client) MustExec(program string, args ...string) string {
	c.t.Helper()
	out, problems, status := c.Exec(program, args...)
	if status != 0 {
		c.t.Fatal(fmt.Sprintf("%s %s: exit status %d\n%s%s", program, strings.Join(args, " "), status, out, problems))
	}
	return out
}

// Until runs the client until it succeeds and its output has a text, for two
// minutes at the most, and returns that output.
func (c *Client) Until(text string, args ...string) string {
	c.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		out, problems, status := c.Run(args...)
		if status == 0 && strings.Contains(out, text) {
			return out
		}
		if time.Now().After(deadline) {
			c.t.Fatal(fmt.Sprintf("%s: exit status %d, no %q:\n%s%s", strings.Join(args, " "), status, text, out, problems))
		}
	}
}
