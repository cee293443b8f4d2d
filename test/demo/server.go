package main

import (
	"bufio"
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
	"syscall"
	"time"
)

// domain is one whose hosts the client finds without a resolver.
const domain = "drydock.localhost"

// server is a drydockd that serves.
type server struct {
	url     string // of the resource manager
	port    string
	data    string
	welcome string // what it printed
	cmd     *exec.Cmd
	ended   chan error
}

// startServer starts drydockd as a user would, on a free port.
func (d *demo) startServer(ctx context.Context) (*server, error) {
	s := &server{data: filepath.Join(d.dir, "data"), ended: make(chan error, 1)}
	args := []string{
		"serve", "--data", s.data, "--domain", domain, "--listen", "127.0.0.1:0", "--sources-files", d.dir, "--runs-drain=5s",
		"--registries-mirrors", "docker.io=" + d.hub.URL, "--registries-mirrors", "mcr.microsoft.com=" + d.hub.URL,
	}
	say("drydockd", args)
	// In a file, what it prints is there before it says that it serves.
	out, err := os.Create(filepath.Join(d.dir, "welcome"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	s.cmd = exec.Command(d.programs.drydockd, args...)
	s.cmd.Stdout = out
	// Ctrl-C is for the demo, which then ends the server in good order.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	address, err := s.await(ctx, log)
	if err == nil {
		_, s.port, err = net.SplitHostPort(address)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the server: %w", err), s.stop())
	}
	welcome, err := os.ReadFile(out.Name())
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.welcome = string(welcome)
	s.url = "https://management." + domain + ":" + s.port
	return s, nil
}

// await reads the server's log until it says where it listens, and goes on with
// it in the background until its end.
func (s *server) await(ctx context.Context, log io.Reader) (address string, err error) {
	serving := make(chan string, 1)
	var last string
	go func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var line struct{ Msg, Listen string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				serving <- line.Listen
			}
			last = lines.Text()
		}
		err := s.cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, last)
		}
		s.ended <- err
	}()
	select {
	case address = <-serving:
		return address, nil
	case err := <-s.ended:
		s.ended <- err
		return "", errors.New("it has ended")
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-time.After(time.Minute):
		return "", errors.New("it does not serve")
	}
}

// stop asks the server to end, and waits until it has.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	err := <-s.ended
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 130 {
		return nil // the status after a signal
	}
	return err
}

// said returns what the server printed after a word.
func (s *server) said(word string) string {
	m := regexp.MustCompile(`(?m)^  ` + word + ` +(\S+)$`).FindStringSubmatch(s.welcome)
	if m == nil {
		return ""
	}
	return m[1]
}

func (s *server) loginServer(registry string) string {
	return registry + ".azurecr." + domain + ":" + s.port
}

// environ is that of the client: a configuration of its own, and the server's
// certificate.
func (d *demo) environ() []string {
	return append(os.Environ(), "DRYDOCK_CONFIG_DIR="+filepath.Join(d.dir, "config"),
		"DRYDOCK_CA_FILE="+filepath.Join(d.server.data, "certs", "ca.pem"))
}
