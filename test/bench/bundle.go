package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/drydockhq/drydock/test/images"
)

// bundle is the configuration that drydockd gives a step's container, for runc
// to be run with it alone: the same namespaces, mounts, seccomp filter,
// capabilities and limits, with a network namespace that is new and empty in
// place of the run's, and an unpacked folder in place of the overlay.
type bundle struct {
	spec specs.Spec
	// shared are the files and folders of the machine that it mounts; true for a
	// folder.
	shared map[string]bool
	lab    *lab
	rest   int64 // size of a drydockd that waits for a step, in bytes
}

// captureBundle takes the configuration from a step that runs, and the size of
// the drydockd that waits for it.
func (l *lab) captureBundle(ctx context.Context) (*bundle, error) {
	source, err := l.folder("held", map[string]string{
		"acb.yaml": "version: v1.1.0\nsteps:\n- id: held\n  cmd: " + l.busybox() + " sh -c 'echo ready; sleep 600'\n",
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := l.execCommand(ctx, source)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &bundle{lab: l, shared: map[string]bool{}}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"ready"`) {
			err = b.capture(cmd.Process.Pid)
			cancel()
		}
	}
	waited := cmd.Wait()
	if b.spec.Process == nil {
		return nil, errors.Join(err, wrapOutput(errors.Join(errors.New("no container ran"), waited), cmd, said.String()))
	}
	return b, err
}

// capture reads the configuration of the container that the process runs.
func (b *bundle) capture(drydockd int) error {
	dir, err := runningBundle(drydockd)
	if err != nil {
		return fmt.Errorf("looking for a container's configuration: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return fmt.Errorf("reading a container's configuration: %w", err)
	}
	if err := json.Unmarshal(data, &b.spec); err != nil {
		return fmt.Errorf("reading a container's configuration: %w", err)
	}
	for _, m := range b.spec.Mounts {
		if info, err := os.Stat(m.Source); err == nil && filepath.IsAbs(m.Source) {
			b.shared[m.Source] = info.IsDir()
		}
	}
	// What was started with the container has come to rest after this.
	time.Sleep(2 * time.Second)
	b.rest, err = residentSize(drydockd)
	return err
}

// runningBundle returns the bundle that a runc of the process runs.
func runningBundle(parent int) (string, error) {
	processes, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		return "", err
	}
	for _, list := range processes {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended
		}
		for _, pid := range strings.Fields(string(children)) {
			line, err := os.ReadFile("/proc/" + pid + "/cmdline")
			if err != nil {
				continue // a process that has ended
			}
			args := strings.Split(string(line), "\x00")
			if i := slices.Index(args, "--bundle"); i >= 0 && i+1 < len(args) {
				return args[i+1], nil
			}
		}
	}
	return "", errors.New("drydockd runs no runc")
}

// residentSize returns the size of a process in memory, in bytes.
func residentSize(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no size", pid)
}

// program is what runs in a container that runc is given.
type program struct {
	rootfs string
	args   []string
	env    []string
	cwd    string
}

// unpack unpacks an image to a folder and returns a program of it.
func (b *bundle) unpack(ctx context.Context, name string) (*program, *v1.ConfigFile, error) {
	img, err := images.Get(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, nil, fmt.Errorf("reading image %s: %w", name, err)
	}
	dir := b.lab.path("rootfs-" + strings.ReplaceAll(name, ":", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	content := mutate.Extract(img)
	defer content.Close()
	tar := exec.CommandContext(ctx, "tar", "-xpf", "-", "-C", dir)
	tar.Stdin = content
	if out, err := tar.CombinedOutput(); err != nil {
		return nil, nil, wrapOutput(err, tar, string(out))
	}
	return &program{rootfs: dir, env: config.Config.Env, cwd: "/"}, config, nil
}

// container writes the bundle of one container and returns the arguments with
// which runc runs it.
func (b *bundle) container(p *program) ([]string, error) {
	b.lab.containers++
	id := fmt.Sprintf("drydock-bench-%d-%d", os.Getpid(), b.lab.containers)
	dir := b.lab.path("runc", id)
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	spec, err := b.specOf(p, dir)
	if err != nil {
		return nil, err
	}
	spec.Linux.CgroupsPath = "/" + id
	data, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), data, 0o600); err != nil {
		return nil, err
	}
	return []string{"--root", b.lab.state, "run", "--bundle", dir, id}, nil
}

// plain returns a bundle with the configuration that `runc spec` gives in place
// of drydockd's: no seccomp filter, fewer mounts.
func (b *bundle) plain(ctx context.Context) (*bundle, error) {
	dir := b.lab.path("plain")
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	if _, err := timed(ctx, b.lab.runc, "spec", "--bundle", dir); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil, err
	}
	p := &bundle{lab: b.lab}
	if err := json.Unmarshal(data, &p.spec); err != nil {
		return nil, fmt.Errorf("reading what runc spec wrote: %w", err)
	}
	p.spec.Process.Terminal = false
	return p, nil
}

// specOf returns the configuration with the program and with copies of what
// drydockd mounts of the machine.
func (b *bundle) specOf(p *program, dir string) (specs.Spec, error) {
	spec, linux, process := b.spec, *b.spec.Linux, *b.spec.Process
	spec.Linux, spec.Process = &linux, &process
	spec.Root = &specs.Root{Path: p.rootfs}
	process.Args, process.Cwd = p.args, p.cwd
	process.Env = append(append([]string{}, process.Env...), p.env...)
	linux.Namespaces = nil
	for _, ns := range b.spec.Linux.Namespaces {
		if ns.Type == specs.NetworkNamespace {
			ns.Path = ""
		}
		linux.Namespaces = append(linux.Namespaces, ns)
	}
	spec.Mounts = nil
	for i, m := range b.spec.Mounts {
		if isFolder, ok := b.shared[m.Source]; ok {
			m.Source = filepath.Join(dir, strconv.Itoa(i))
			if err := standIn(m.Source, isFolder); err != nil {
				return spec, err
			}
		}
		spec.Mounts = append(spec.Mounts, m)
	}
	return spec, nil
}

// standIn makes what is mounted in place of what drydockd mounts.
func standIn(path string, isFolder bool) error {
	if isFolder {
		return os.Mkdir(path, 0o755)
	}
	return os.WriteFile(path, []byte("127.0.0.1\tlocalhost\n"), 0o644)
}
