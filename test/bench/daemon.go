package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// daemon is a stock buildkitd with a folder of its own.
type daemon struct {
	cmd    *exec.Cmd
	addr   string
	group  string // control group of its containers
	ended  chan error
	output *bytes.Buffer
}

// startDaemon starts buildkitd on the folder dir, with its defaults but for
// where its files are: OCI worker, overlayfs, the network of the machine where
// there is no CNI. The registries answer in plain HTTP.
func startDaemon(ctx context.Context, p programs, dir string, registries ...string) (*daemon, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	var config strings.Builder
	group := fmt.Sprintf("drydock-bench-%d", os.Getpid())
	fmt.Fprintf(&config, "[worker.oci]\n  defaultCgroupParent = %q\n", "/"+group)
	for _, host := range registries {
		fmt.Fprintf(&config, "[registry.%q]\n  http = true\n", host)
	}
	file := filepath.Join(dir, "buildkitd.toml")
	if err := os.WriteFile(file, []byte(config.String()), 0o644); err != nil {
		return nil, err
	}
	d := &daemon{addr: "unix://" + filepath.Join(dir, "socket"), group: group, ended: make(chan error, 1), output: &bytes.Buffer{}}
	d.cmd = exec.Command(p.buildkitd, "--config", file, "--root", filepath.Join(dir, "root"), "--addr", d.addr,
		"--otel-socket-path", filepath.Join(dir, "otel"), "--containerd-worker=false",
		"--oci-worker-binary", p.runc, "--oci-worker-snapshotter", "overlayfs")
	d.cmd.Stdout, d.cmd.Stderr = d.output, d.output
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting buildkitd: %w", err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	if err := d.await(ctx, p.buildctl); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// await waits for the daemon to answer.
func (d *daemon) await(ctx context.Context, buildctl string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := timed(ctx, buildctl, "--addr", d.addr, "debug", "workers")
		if err == nil {
			return nil
		}
		select {
		case ended := <-d.ended:
			d.ended <- ended
			return wrapOutput(errors.Join(errors.New("buildkitd has ended"), ended), d.cmd, d.output.String())
		case <-ctx.Done():
			return fmt.Errorf("waiting for buildkitd: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the daemon, the hard way if it takes more than 20 s, and removes the
// control groups that it leaves.
func (d *daemon) stop() error {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-d.ended:
	case <-time.After(20 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
	return removeGroup(d.group)
}

// removeGroup removes a control group of buildkitd's, and the one that it makes
// inside, from all hierarchies.
func removeGroup(name string) error {
	var errs []error
	for _, folder := range []string{name + "/buildkit", name} {
		for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
			found, err := filepath.Glob(filepath.Join(root, folder))
			errs = append(errs, err)
			for _, group := range found {
				errs = append(errs, os.Remove(group))
			}
		}
	}
	return errors.Join(errs...)
}

// buildctl is the arguments of a build of the folder source.
func (d *daemon) buildctl(source string, args ...string) []string {
	return append([]string{
		"--addr", d.addr, "build", "--progress", "plain", "--frontend", "dockerfile.v0",
		"--local", "context=" + source, "--local", "dockerfile=" + source,
	}, args...)
}
