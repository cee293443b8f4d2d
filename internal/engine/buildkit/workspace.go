package buildkit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// Where a run's shared folders are in its containers.
const (
	workspaceDir = "/workspace"
	homeDir      = "/acb/home"
)

// workspace is the folder that the steps of a run share: an overlay over the
// source, which is never written. Containers write it, so files in it are
// reached through os.Root alone.
type workspace struct {
	dir    string // mounted overlay
	home   string
	volume string // folder with a folder for each volume
	empty  string // an empty folder
	root   *os.Root
}

func newWorkspace(dir string, spec engine.RunSpec, volatile bool) (_ *workspace, err error) {
	w := &workspace{
		dir:    filepath.Join(dir, "workspace"),
		home:   filepath.Join(dir, "home"),
		volume: filepath.Join(dir, "volumes"),
		empty:  filepath.Join(dir, "empty"),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	upper, work := filepath.Join(dir, "upper"), filepath.Join(dir, "upper.work")
	for _, d := range []string{w.dir, w.home, w.volume, w.empty, upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, fmt.Errorf("making the workspace: %w", err)
		}
	}
	lower := w.empty
	if spec.Source != "" {
		if lower, err = filepath.Abs(spec.Source); err != nil {
			return nil, fmt.Errorf("finding the source: %w", err)
		}
	}
	o := overlay{
		lower: []string{lower}, upper: upper, work: work, volatile: volatile,
		// Steps can make device files, which this process must not open.
		options: []string{"nosuid", "nodev"},
	}
	if err := o.mount(w.dir); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making the workspace over %s: %w", lower, err)
	}
	if w.root, err = os.OpenRoot(w.dir); err != nil {
		return nil, fmt.Errorf("opening the workspace: %w", err)
	}
	return w, w.writeVolumes(spec.Volumes)
}

// Close unmounts the workspace.
func (w *workspace) Close() error {
	var errs []error
	if w.root != nil {
		errs = append(errs, w.root.Close())
	}
	return errors.Join(append(errs, unmount(w.dir))...)
}

// inContainer returns where a step's working directory is in its containers.
func inContainer(dir string) string {
	if path.IsAbs(dir) {
		return path.Clean(dir)
	}
	return path.Join(workspaceDir, dir)
}

// inWorkspace returns name, as a process in dir would mean it, relative to the
// workspace. A name outside it is refused.
func inWorkspace(dir, name string) (string, error) {
	p := name
	if !path.IsAbs(p) {
		p = path.Join(inContainer(dir), p)
	}
	p = path.Clean(p)
	if p == workspaceDir {
		return ".", nil
	}
	rel, ok := strings.CutPrefix(p, workspaceDir+"/")
	if !ok {
		return "", drydock.Errorf(drydock.Invalid, "%q is outside the workspace", name).
			WithHint("steps share the files below %s", workspaceDir)
	}
	return rel, nil
}

// open opens a file for a redirection.
func (w *workspace) open(dir, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	if path.Clean(name) == "/dev/null" {
		return os.OpenFile(os.DevNull, flag&^(os.O_CREATE|os.O_TRUNC|os.O_EXCL), 0)
	}
	rel, err := inWorkspace(dir, name)
	if err != nil {
		return nil, err
	}
	return openFile(w.root, rel, name, flag, perm)
}

// openFile opens a regular file, which errors call name.
func openFile(root *os.Root, rel, name string, flag int, perm os.FileMode) (*os.File, error) {
	// A step can leave a pipe here that nobody ever writes to.
	f, err := root.OpenFile(rel, flag|unix.O_NONBLOCK, perm)
	if err != nil {
		return nil, drydock.Errorf(drydock.Failed, "opening %q: %w", name, withoutDir(err))
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, drydock.Errorf(drydock.Failed, "opening %q: not a regular file", name)
	}
	return f, nil
}

// openRootIn opens a folder. OpenRoot alone would wait for the writer of a pipe
// that a step left in its place.
func openRootIn(root *os.Root, rel string) (*os.Root, error) {
	f, err := root.OpenFile(rel, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
}

// withoutDir leaves out where on this machine the file is.
func withoutDir(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// OpenFile opens a file as a step's shell would.
func (s *session) OpenFile(dir, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	return s.workspace.open(dir, name, flag, perm)
}
