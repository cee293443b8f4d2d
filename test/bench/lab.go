package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// programs are the paths of what is measured.
type programs struct {
	drydockd  string
	buildkitd string
	buildctl  string
	runc      string
}

// lab is what all comparisons are made with: the programs, two registries on
// loopback, a running buildkitd, and a folder for all their files.
type lab struct {
	programs
	dir     string
	public  *registry.Registry // holds the base images
	team    *registry.Registry // is pushed to
	daemon  *daemon
	example string // folder of the gated import
	bundle  *bundle
	cleanup []func() error
}

// openLab makes everything ready. The caller closes the lab, also after an
// error.
func openLab(ctx context.Context, p programs, example string) (*lab, error) {
	l := &lab{programs: p, example: example}
	var err error
	// Not below a long path: an overlay has room for few of them in its options.
	if l.dir, err = os.MkdirTemp("", "drydock-bench-"); err != nil {
		return l, err
	}
	l.later(func() error { return os.RemoveAll(l.dir) })
	if l.public, err = l.registry(); err != nil {
		return l, err
	}
	if l.team, err = l.registry(); err != nil {
		return l, err
	}
	if err := images.Push(ctx, l.public.Host, images.Busybox, images.Node); err != nil {
		return l, err
	}
	if l.daemon, err = startDaemon(ctx, p, l.path("buildkitd"), l.public.Host, l.team.Host); err != nil {
		return l, err
	}
	l.later(l.daemon.stop)
	l.bundle, err = l.captureBundle(ctx)
	return l, err
}

// registry starts a registry that goes with the lab.
func (l *lab) registry() (*registry.Registry, error) {
	r, err := registry.New(registry.Options{})
	if err != nil {
		return nil, err
	}
	l.later(r.Close)
	return r, nil
}

// later has close called when the lab closes, before those that were given
// earlier.
func (l *lab) later(f func() error) { l.cleanup = append(l.cleanup, f) }

// close stops and removes all that the lab has made.
func (l *lab) close() error {
	var errs []error
	for i := len(l.cleanup) - 1; i >= 0; i-- {
		errs = append(errs, l.cleanup[i]())
	}
	l.cleanup = nil
	return errors.Join(errs...)
}

// path returns the path of a file of the lab.
func (l *lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.dir}, elem...)...)
}

// busybox is the image of the steps.
func (l *lab) busybox() string { return l.public.Host + "/" + images.Busybox }

// folder makes a folder of the lab with the given files.
func (l *lab) folder(name string, files map[string]string) (string, error) {
	dir := l.path(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			return "", fmt.Errorf("writing the source of a run: %w", err)
		}
	}
	return dir, nil
}
