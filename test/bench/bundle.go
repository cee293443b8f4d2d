package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
	root string // of the drydockd that it comes from
	lab  *lab
	next int // number of the next container
	rest int64
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
	b := &bundle{lab: l, root: l.dataFolder()}
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

// capture reads the configuration of the one container of the data folder.
func (b *bundle) capture(pid int) error {
	err := filepath.WalkDir(filepath.Join(b.root, "run"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "rootfs" {
			return fs.SkipDir
		}
		if d.Name() != "config.json" || b.spec.Process != nil {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return json.Unmarshal(data, &b.spec)
	})
	if err != nil {
		return fmt.Errorf("reading the configuration of a container: %w", err)
	}
	// What was started with the container has come to rest after this.
	time.Sleep(2 * time.Second)
	b.rest, err = residentSize(pid)
	return err
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
	b.next++
	id := fmt.Sprintf("drydock-bench-%d-%d", os.Getpid(), b.next)
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
	return []string{"--root", b.lab.path("runc-state"), "run", "--bundle", dir, id}, nil
}

// specOf returns the configuration with the program and with copies of what
// drydockd has mounted from its data folder.
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
		if strings.HasPrefix(m.Source, b.root+"/") {
			source := filepath.Join(dir, strconv.Itoa(i))
			if err := standIn(source, m.Destination); err != nil {
				return spec, err
			}
			m.Source = source
		}
		spec.Mounts = append(spec.Mounts, m)
	}
	return spec, nil
}

// standIn makes what is mounted at destination in place of drydockd's: a file
// below /etc, a folder elsewhere.
func standIn(source, destination string) error {
	if strings.HasPrefix(destination, "/etc/") {
		return os.WriteFile(source, []byte("127.0.0.1\tlocalhost\n"), 0o644)
	}
	return os.Mkdir(source, 0o755)
}
