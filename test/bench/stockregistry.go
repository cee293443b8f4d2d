package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/drydockhq/drydock/test/registry"
)

// serveRegistry serves distribution as it is, on a folder, until in ends. It
// prints its host first.
func serveRegistry(dir string, in io.Reader, out io.Writer) error {
	r, err := registry.New(registry.Options{Dir: dir})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, r.Host)
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, r.Close())
}

// stockRegistry starts distribution in a process of its own, as the server that
// it is compared with has one. It goes with the lab.
func (l *lab) stockRegistry(ctx context.Context) (host string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, self, "-serve-registry", l.path("distribution"))
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("starting distribution: %w", err)
	}
	l.later(func() error { return errors.Join(in.Close(), cmd.Wait()) })
	line, err := bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(line), err
}
