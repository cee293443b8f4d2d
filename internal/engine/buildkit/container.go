package buildkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// container is one container of a run, from its files to its end.
type container struct {
	engine.Container
	session *session
	id      string // in runc
	dir     string // what it writes beside the folders of the run
	bundle  string // what runc reads and writes
	group   group
	files   *rootfs
	config  ocispec.Image
	network *runnet.Attachment // nil for "host" and "none"
}

// Run runs a container to its end.
func (s *session) Run(ctx context.Context, c engine.Container) error {
	ctx, done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.Privileged && !s.spec.AllowPrivileged {
		return drydock.Errorf(drydock.Denied, "the step asks for a privileged container").
			WithHint("allow it with %s; it gives the step this machine", s.executor.config.Advice.Privileged)
	}
	box := &container{Container: c, session: s}
	err = box.prepare(ctx)
	if err == nil {
		err = box.run(ctx)
	}
	return joinCleanup(explainFull(ctx, s.executor.config, err), box.clean())
}

// prepare makes the container's folder, files and network.
func (c *container) prepare(ctx context.Context) error {
	files, err := c.session.namedRootfs(ctx, c.Image, c.Pull)
	if err != nil {
		return err
	}
	c.files, c.config = files, files.config
	if !platforms.OnlyStrict(defaultPlatform).Match(ocispec.Platform{OS: c.config.OS, Architecture: c.config.Architecture}) && c.config.Architecture != "" {
		return drydock.Errorf(drydock.Failed, "image %s is for %s/%s, this machine runs linux/amd64", c.Image, c.config.OS, c.config.Architecture).
			WithHint("name a tag that has linux/amd64")
	}
	if c.dir, err = os.MkdirTemp(c.session.dir, "c-"); err != nil {
		return fmt.Errorf("making the container's folder: %w", err)
	}
	c.id = filepath.Base(c.session.dir) + "-" + filepath.Base(c.dir)
	c.group = c.session.group.child(filepath.Base(c.dir))
	c.bundle = filepath.Join(c.session.executor.runtime.memory, c.id)
	if err := os.Mkdir(c.bundle, 0o700); err != nil {
		return fmt.Errorf("making the container's folder: %w", err)
	}
	if err := files.mount(c.dir, c.rootfs(), c.session.executor.machine.volatile); err != nil {
		return err
	}
	if err := c.attach(ctx); err != nil {
		return err
	}
	return c.writeBundle(ctx)
}

// rootfs is where the container's files are mounted.
func (c *container) rootfs() string { return filepath.Join(c.bundle, "rootfs") }

// attach joins the container to its network.
func (c *container) attach(ctx context.Context) error {
	if c.Network == "host" || c.Network == "none" {
		return nil
	}
	var err error
	c.network, err = c.session.network.Attach(ctx, runnet.Endpoint{Name: c.Name, Network: c.Network, Ports: c.Ports})
	return err
}

// join puts the container's network namespace into its spec.
func (c *container) join(spec *specs.Spec) {
	switch {
	case c.network != nil:
		joinNetwork(spec, c.network.NetNSPath)
	case c.Network == "host":
		joinNetwork(spec, c.session.network.HostPath())
	default:
		joinNetwork(spec, "")
	}
}

// clean takes away what prepare and run made.
func (c *container) clean() error {
	if c.dir == "" {
		return nil
	}
	err := c.group.remove()
	err = joinCleanup(err, os.RemoveAll(filepath.Join(c.session.executor.runtime.stateDir(), c.id)))
	err = joinCleanup(err, unmount(c.rootfs()))
	if c.network != nil {
		err = joinCleanup(err, c.network.Close())
	}
	return joinCleanup(err, errors.Join(os.RemoveAll(c.bundle), os.RemoveAll(c.dir)))
}

// joinCleanup returns the first error: what went wrong in a step says more
// than what went wrong in tidying up after it.
func joinCleanup(err, cleanup error) error {
	if err != nil {
		return err
	}
	return cleanup
}

// input returns a reader for the process that ends when the container does.
func input(r io.Reader) (*os.File, func(), error) {
	if f, ok := r.(*os.File); ok {
		return f, func() {}, nil
	}
	if r == nil {
		f, err := os.Open(os.DevNull)
		return f, func() { f.Close() }, err
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	go func() {
		defer pw.Close()
		// The copy ends with the reader, or at the first write after the
		// container has ended.
		_, _ = io.Copy(pw, r)
	}()
	return pr, func() { pr.Close() }, nil
}
