package images

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/drydockhq/drydock"
)

// lockPoll is how often a process that waits for another one's build looks
// whether it is done.
const lockPoll = 50 * time.Millisecond

// maxAge is how old a layout may get once there is a newer one of its image. It
// is long, since a test of another checkout may be reading it.
const maxAge = 30 * 24 * time.Hour

// Store is a folder of images. Its methods may be called by several goroutines
// and processes at once.
type Store struct {
	// Dir is the folder; it is made when the first image is.
	Dir string
}

// Default returns the store in $DRYDOCK_IMAGES, else in drydock/images of the
// user's cache folder, or, for root with the home of another user, as behind sudo,
// of /var/cache. A user without a home has it in .cache/images of the module
// that the working directory is in.
func Default() (*Store, error) {
	if dir := os.Getenv("DRYDOCK_IMAGES"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("finding the folder for test images: %w", err)
		}
		return &Store{Dir: abs}, nil
	}
	if dir, err := os.UserCacheDir(); err == nil {
		if os.Geteuid() == 0 && !isOwn(dir) {
			dir = "/var/cache"
		}
		return &Store{Dir: filepath.Join(dir, "drydock", "images")}, nil
	}
	dir, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	return &Store{Dir: filepath.Join(dir, ".cache", "images")}, nil
}

// isOwn reports whether dir, or the first folder above it that exists, belongs
// to this process's user. Files that root leaves in another user's folder are in
// that user's way.
func isOwn(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil {
			stat, ok := info.Sys().(*syscall.Stat_t)
			return ok && int(stat.Uid) == os.Geteuid()
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// moduleRoot returns the folder of the module that the working directory is in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the folder for test images: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, "go.mod")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", drydock.Errorf(drydock.Invalid, "there is no folder for test images: no cache folder and no module").
				WithHint("set DRYDOCK_IMAGES")
		}
	}
}

// Get returns the image called name, building it first where that has not been
// done. For an index it is an error; use Index.
func (s *Store) Get(ctx context.Context, name string) (v1.Image, error) {
	index, desc, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	if desc.MediaType.IsIndex() {
		return nil, drydock.Errorf(drydock.Invalid, "test image %q is an index", name)
	}
	return index.Image(desc.Digest)
}

// Index is Get for an index.
func (s *Store) Index(ctx context.Context, name string) (v1.ImageIndex, error) {
	index, desc, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	if !desc.MediaType.IsIndex() {
		return nil, drydock.Errorf(drydock.Invalid, "test image %q is not an index", name)
	}
	return index.ImageIndex(desc.Digest)
}

// open returns the index of name's layout and its one descriptor.
func (s *Store) open(ctx context.Context, name string) (v1.ImageIndex, v1.Descriptor, error) {
	dir, err := s.Layout(ctx, name)
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, v1.Descriptor{}, fmt.Errorf("reading test image %q: %w", name, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, v1.Descriptor{}, fmt.Errorf("reading test image %q: %w", name, err)
	}
	if len(manifest.Manifests) != 1 {
		return nil, v1.Descriptor{}, fmt.Errorf("reading test image %q: %s holds %d manifests, not 1",
			name, dir, len(manifest.Manifests))
	}
	return index, manifest.Manifests[0], nil
}

// Layout returns the path of an OCI layout that holds the image or index called
// name and nothing else, building it first where that has not been done. The
// folder is shared: read it, don't write to it.
func (s *Store) Layout(ctx context.Context, name string) (string, error) {
	r, err := recipeOf(ctx, name)
	if err != nil {
		return "", err
	}
	key, err := r.key()
	if err != nil {
		return "", fmt.Errorf("making test image %q: %w", name, err)
	}
	base := filepath.Join(s.Dir, strings.ReplaceAll(name, ":", "_"))
	dir := base + "-" + key
	if exists(dir) {
		return dir, nil
	}
	unlock, err := lock(ctx, base+".lock")
	if err != nil {
		return "", fmt.Errorf("waiting for test image %q: %w", name, err)
	}
	defer unlock()
	if exists(dir) {
		return dir, nil
	}
	if err := r.write(ctx, base, dir); err != nil {
		return "", fmt.Errorf("making test image %q: %w", name, err)
	}
	if err := prune(base, time.Now().Add(-maxAge)); err != nil {
		return "", fmt.Errorf("deleting old layouts of test image %q: %w", name, err)
	}
	return dir, nil
}

// prune deletes the layouts of base that were made before a time.
func prune(base string, before time.Time) error {
	layouts, err := filepath.Glob(base + "-*")
	if err != nil {
		return err
	}
	for _, dir := range layouts {
		if info, err := os.Stat(dir); err != nil || !info.ModTime().Before(before) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func exists(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// lock takes the lock at file, making its folder first, and returns what
// releases it. The lock ends with the process.
func lock(ctx context.Context, file string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	l := flock.New(file)
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
		return nil, err
	}
	return func() { _ = l.Close() }, nil
}

// write builds the layout and moves it to dir in one step. The caller holds the
// lock of base.
func (r *recipe) write(ctx context.Context, base, dir string) error {
	work := base + ".work"
	// A process that was killed while it built leaves its folder behind.
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	target := filepath.Join(work, "layout")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	path, err := layout.Write(target, emptyIndex())
	if err != nil {
		return err
	}
	if err := r.append(ctx, path, work); err != nil {
		return err
	}
	if err := os.Rename(target, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
