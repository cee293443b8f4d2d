package buildkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/moby/buildkit/snapshot"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// rootfs is the files of an image, mounted or ready to be, for all containers
// that a run makes of it.
type rootfs struct {
	lower   []string // topmost first
	config  ocispec.Image
	mounts  []specs.Mount // beside those that all containers have
	release func() error
}

// rootfsTable keeps what was opened until the run ends: the second container of
// an image costs one mount.
type rootfsTable struct {
	mu   sync.Mutex
	open map[image]*rootfs
}

// namedRootfs returns the files of the image of a name. With fresh a registry is
// asked for it in any case, unless it is built in.
func (s *session) namedRootfs(ctx context.Context, name string, fresh bool) (*rootfs, error) {
	complete, err := completeName(name)
	if err != nil {
		return nil, err
	}
	if files, err := s.executor.programs.rootfs(complete); files != nil || err != nil {
		return files, err
	}
	img, err := s.image(ctx, complete, fresh)
	if err != nil {
		return nil, err
	}
	files, err := s.rootfs(ctx, img)
	if err != nil {
		return nil, fmt.Errorf("opening image %s: %w", name, err)
	}
	return files, nil
}

// rootfs returns the files of an image.
func (s *session) rootfs(ctx context.Context, img image) (*rootfs, error) {
	s.roots.mu.Lock()
	files, ok := s.roots.open[img]
	s.roots.mu.Unlock()
	if ok {
		return files, nil
	}
	files, err := s.openRootfs(ctx, img)
	if err != nil {
		return nil, err
	}
	s.roots.mu.Lock()
	defer s.roots.mu.Unlock()
	if first, raced := s.roots.open[img]; raced {
		return first, files.release()
	}
	if s.roots.open == nil {
		s.roots.open = map[image]*rootfs{}
	}
	s.roots.open[img] = files
	return files, nil
}

func (s *session) openRootfs(ctx context.Context, img image) (*rootfs, error) {
	ref, data, err := img.open(ctx, defaultPlatform)
	if err != nil {
		return nil, err
	}
	files := &rootfs{release: func() error { return nil }}
	if files.config, err = imageConfig(data); err != nil {
		return nil, err
	}
	if ref == nil {
		files.lower = []string{s.workspace.empty}
		return files, nil
	}
	mountable, err := ref.Mount(ctx, true, nil)
	if err != nil {
		return nil, s.remote.problem("fetching the layers of", "the image", err)
	}
	if err := files.use(mountable); err != nil {
		return nil, err
	}
	return files, nil
}

func (f *rootfs) use(mountable snapshot.Mountable) error {
	mounts, release, err := mountable.Mount()
	if err != nil {
		return fmt.Errorf("mounting the image: %w", err)
	}
	f.release = release
	f.lower, err = lowerDirs(mounts)
	if err != nil {
		return errors.Join(err, release())
	}
	return nil
}

// mount mounts the files at target. What the container writes goes to dir.
func (f *rootfs) mount(dir, target string, volatile bool) error {
	o := overlay{lower: f.lower, upper: filepath.Join(dir, "upper"), work: filepath.Join(dir, "work"), volatile: volatile}
	for _, d := range []string{o.upper, o.work, target} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return fmt.Errorf("making the container's folder: %w", err)
		}
	}
	return o.mount(target)
}

// Close lets go of all images.
func (t *rootfsTable) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, files := range t.open {
		errs = append(errs, files.release())
	}
	t.open = nil
	return errors.Join(errs...)
}
