package buildkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/instance"
)

// box is one life of a container of a group.
type box struct {
	container
	pod  *pod
	spec instance.RunSpec
	pid  int // of its first process, once it runs
}

// Run implements instance.Pod.
func (p *pod) Run(ctx context.Context, spec instance.RunSpec) (instance.Exit, error) {
	ctx, done, err := p.session.begin(ctx)
	if err != nil {
		return instance.Exit{}, err
	}
	defer done()
	b := &box{pod: p, spec: spec}
	b.session = p.session
	b.Container = engine.Container{Name: spec.Name, Image: spec.Image, Stdout: spec.Output, Stderr: spec.Output, Started: func() { b.begin() }}
	err = b.prepare(ctx)
	if err == nil {
		err = b.run(ctx)
	}
	p.mu.Lock()
	delete(p.boxes, spec.Name)
	p.mu.Unlock()
	exit := instance.Exit{At: time.Now(), OutOfMemory: b.dir != "" && b.group.outOfMemory()}
	var ended *drydock.ExitError
	if errors.As(err, &ended) && !b.unstarted(ended) {
		exit.Status, err = ended.Status, nil
	}
	return exit, joinCleanup(explainFull(ctx, p.session.executor.config, err), b.clean())
}

// unstarted reports whether an error is about a program that could not be
// started, in contrast to one that ended.
func (b *box) unstarted(e *drydock.ExitError) bool { return b.pid == 0 && e.Reason != "" }

// begin notes that the program runs.
func (b *box) begin() {
	text, err := os.ReadFile(b.pidFile())
	if err == nil {
		b.pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	b.pod.mu.Lock()
	b.pod.boxes[b.spec.Name] = b
	b.pod.mu.Unlock()
	if b.spec.Started != nil {
		b.spec.Started()
	}
}

// prepare makes the folder, the files and the limits.
func (b *box) prepare(ctx context.Context) error {
	s := b.session
	img, err := s.image(ctx, b.Image, false)
	if err != nil {
		return err
	}
	files, err := s.rootfs(ctx, img)
	if err != nil {
		return fmt.Errorf("opening image %s: %w", imageName(b.Image), err)
	}
	b.files, b.config = files, files.config
	if b.dir, err = os.MkdirTemp(s.dir, "c-"); err != nil {
		return fmt.Errorf("making the container's folder: %w", err)
	}
	b.id = filepath.Base(s.dir) + "-" + filepath.Base(b.dir)
	b.group = s.group.child(filepath.Base(b.dir))
	b.bundle = filepath.Join(s.executor.runtime.memory, b.id)
	if err := os.Mkdir(b.bundle, 0o700); err != nil {
		return fmt.Errorf("making the container's folder: %w", err)
	}
	if err := files.mount(b.dir, b.rootfs(), s.executor.machine.volatile); err != nil {
		return err
	}
	return b.writeBundle(ctx)
}

func (b *box) writeBundle(ctx context.Context) error {
	hosts := filepath.Join(b.bundle, "hosts")
	text := hostsText(b.pod.attachment.IP, b.pod.spec.Host)
	if err := os.WriteFile(hosts, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the container's hosts file: %w", err)
	}
	if err := b.writeTrust(); err != nil {
		return err
	}
	spec, err := b.ociSpec(ctx, hosts)
	if err != nil {
		return err
	}
	data, err := json.Marshal(spec)
	if err == nil {
		err = os.WriteFile(filepath.Join(b.bundle, "config.json"), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing the container's config: %w", err)
	}
	return nil
}

func hostsText(addr netip.Addr, host string) string {
	return "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" + addr.String() + "\t" + host + "\n"
}

// ociSpec returns the container's configuration.
func (b *box) ociSpec(ctx context.Context, hosts string) (*specs.Spec, error) {
	args := b.spec.Command
	if len(args) == 0 {
		args = append(append([]string{}, b.config.Config.Entrypoint...), b.config.Config.Cmd...)
	}
	if len(args) == 0 {
		return nil, drydock.Errorf(drydock.Failed, "image %s has no command", imageName(b.Image)).
			WithHint("give the container one")
	}
	uid, gid, groups, err := oci.GetUser(b.rootfs(), b.config.Config.User)
	if err != nil {
		return nil, drydock.Errorf(drydock.Failed, "finding user %q in image %s: %w", b.config.Config.User, imageName(b.Image), err)
	}
	env := append([]string{defaultPath}, b.config.Config.Env...)
	env = append(append(env, "HOSTNAME="+b.pod.spec.Host), b.hostsEnv()...)
	env = mergeEnv(append(env, b.spec.Env...))
	meta := executor.Meta{Args: args, Env: env, Cwd: b.workingDir(), Hostname: b.pod.spec.Host}
	join := func(spec *specs.Spec) { joinNetwork(spec, b.pod.attachment.NetNSPath) }
	spec, cleanup, err := oci.GenerateSpec(ctx, meta, nil, b.id, b.session.executor.runtime.resolv, hosts,
		specNamespace{join}, "", oci.ProcessSandbox, nil, "", false, "", nil, oci.WithUIDGID(uid, gid, groups))
	if err != nil {
		return nil, fmt.Errorf("making the container's config: %w", err)
	}
	cleanup()
	spec.Root.Path, spec.Root.Readonly = b.rootfs(), false
	spec.Linux.CgroupsPath = b.group.path
	b.limit(spec)
	if spec.Linux.Sysctl == nil {
		spec.Linux.Sysctl = map[string]string{}
	}
	// Programs that are not root serve port 80 too, as in docker.
	spec.Linux.Sysctl["net.ipv4.ip_unprivileged_port_start"] = "0"
	spec.Mounts = append(spec.Mounts, b.trustMounts()...)
	return spec, b.addMounts(spec)
}

// limit bounds what the container may use: in the control group that it sees as
// its own, by which runtimes of languages measure their heaps and threads.
func (b *box) limit(spec *specs.Spec) {
	limits := withDefaults(drydock.Limits{Memory: b.spec.Memory, CPUs: b.spec.CPUs}, drydock.Limits{})
	resources := limitResources(limits, b.group.cgroups.limitsSwap)
	if spec.Linux.Resources != nil {
		resources.Devices = spec.Linux.Resources.Devices
	}
	spec.Linux.Resources = resources
}

// addMounts puts the volumes of the group into the container.
func (b *box) addMounts(spec *specs.Spec) error {
	for _, m := range b.spec.Mounts {
		found := false
		for _, v := range b.pod.spec.Volumes {
			if v.Name != m.Volume {
				continue
			}
			found = true
			options := []string{"rbind", "rprivate", "nosuid", "nodev"}
			if m.ReadOnly || v.Files != nil {
				options = append(options, "ro")
			}
			spec.Mounts = append(spec.Mounts, specs.Mount{Destination: m.Path, Type: "bind", Source: b.pod.volumeDir(v), Options: options})
		}
		if !found {
			return drydock.Errorf(drydock.Invalid, "container %s mounts the volume %s, which the group does not have", b.spec.Name, m.Volume)
		}
	}
	return nil
}

// Exec implements instance.Pod.
func (p *pod) Exec(ctx context.Context, name string, e instance.ExecSpec) (int, error) {
	ctx, done, err := p.session.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	b := p.running(name)
	if b == nil {
		return 0, drydock.Errorf(drydock.Conflict, "container %s does not run", name)
	}
	r := p.session.executor.runtime
	args := []string{"--root", r.stateDir(), "exec"}
	if e.Rows > 0 && e.Columns > 0 {
		args = append(args, "--tty")
	}
	cmd := exec.CommandContext(ctx, r.machine.runc, append(append(args, b.id), e.Command...)...)
	cmd.WaitDelay = time.Second
	if e.Rows > 0 && e.Columns > 0 {
		err = runOnTerminal(cmd, e)
	} else {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = e.Input, e.Output, e.Output
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		err = cmd.Run()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return exit.ExitCode(), nil
	}
	return 0, err
}
