package buildkit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// runtime runs containers with runc, and keeps the folders of runs.
type runtime struct {
	machine  machine
	root     string // of the executor
	dir      string // of the runs
	instance string // names what this executor makes outside its folder
	resolv   string // resolv.conf of all containers
}

// newRuntime clears what a killed process left below root and makes the folder
// for runs. The caller holds the lock on root.
func newRuntime(m machine, root, instance, dns string) (*runtime, error) {
	r := &runtime{machine: m, root: root, dir: filepath.Join(root, "run"), instance: instance}
	if err := r.sweep(); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "clearing what an earlier drydockd left in %s: %w", root, err)
	}
	if err := os.MkdirAll(r.stateDir(), 0o711); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making the folder for runs: %w", err)
	}
	r.resolv = filepath.Join(r.dir, "resolv.conf")
	if err := os.WriteFile(r.resolv, []byte("nameserver "+dns+"\n"), 0o644); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "writing resolv.conf: %w", err)
	}
	return r, nil
}

// instanceName tells executors with different folders apart, also at the next
// start.
func instanceName(root string) (string, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("finding the data folder: %w", err)
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	sum := sha256.Sum256([]byte(abs))
	return hex.EncodeToString(sum[:4]), nil
}

// cgroupPath is the control group of all that this executor starts.
func (r *runtime) cgroupPath() string { return "/drydock/" + r.instance }

// stateDir is where runc keeps the state of containers.
func (r *runtime) stateDir() string { return filepath.Join(r.dir, "runc") }

// newRunDir makes the folder of a run, which two runs with one id never share.
func (r *runtime) newRunDir(id string) (string, error) {
	dir, err := os.MkdirTemp(r.dir, strings.Map(folderRune, id)+"-")
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "making the run's folder: %w", err)
	}
	return dir, os.Chmod(dir, 0o711)
}

func folderRune(c rune) rune {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		return c
	}
	return '_'
}

// Close removes the folder for runs.
func (r *runtime) Close() error {
	err := os.RemoveAll(r.dir)
	return errors.Join(err, removeGroup(r.cgroupPath(), r.machine.unified))
}

// sweep kills the containers of an earlier process, unmounts what it had
// mounted and removes its folders. Its caches stay.
func (r *runtime) sweep() error {
	if err := removeGroup(r.cgroupPath(), r.machine.unified); err != nil {
		return err
	}
	if err := r.deleteContainers(); err != nil {
		return err
	}
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(r.root))
	if err != nil {
		return fmt.Errorf("reading the mounts: %w", err)
	}
	for i := len(mounts) - 1; i >= 0; i-- {
		if mounts[i].Mountpoint == r.root {
			continue
		}
		if err := unix.Unmount(mounts[i].Mountpoint, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmounting %s: %w", mounts[i].Mountpoint, err)
		}
	}
	return os.RemoveAll(r.dir)
}

// deleteContainers makes runc forget the containers of RUN instructions, whose
// bundles BuildKit keeps by their ids.
func (r *runtime) deleteContainers() error {
	bundles, err := filepath.Glob(filepath.Join(r.root, "runc-overlayfs", "executor", "*", "config.json"))
	if err != nil {
		return err
	}
	for _, bundle := range bundles {
		dir := filepath.Dir(bundle)
		// A container that is gone already is an error that says nothing.
		_ = exec.Command(r.machine.runc, "delete", "--force", filepath.Base(dir)).Run()
		if err := unix.Unmount(filepath.Join(dir, "rootfs"), unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unmounting the rootfs of a killed build: %w", err)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}
