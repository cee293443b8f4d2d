package buildkit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/containerd/cgroups/v3"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// machine is what an executor found on this machine.
type machine struct {
	runc    string
	unified bool // cgroup v2
}

// inspectMachine checks for all that containers need. A machine without the
// means is an error, never a reason to run with less isolation.
func inspectMachine() (machine, error) {
	var m machine
	if os.Geteuid() != 0 {
		return m, drydock.Errorf(drydock.Unavailable, "running containers needs root").
			WithHint("run it with sudo")
	}
	path, err := exec.LookPath("runc")
	if err != nil {
		return m, drydock.Errorf(drydock.Unavailable, "runc is not installed").
			WithHint("apt-get install runc")
	}
	m.runc = path
	switch cgroups.Mode() {
	case cgroups.Unified:
		m.unified = true
	case cgroups.Hybrid, cgroups.Legacy:
	default:
		return m, drydock.Errorf(drydock.Unavailable, "no cgroups are mounted at /sys/fs/cgroup").
			WithHint("limits of memory, CPU and processes need them")
	}
	for _, ns := range []string{"net", "pid", "mnt", "ipc", "uts"} {
		if _, err := os.Stat("/proc/self/ns/" + ns); err != nil {
			return m, drydock.Errorf(drydock.Unavailable, "the kernel has no %s namespaces: %w", ns, err)
		}
	}
	return m, nil
}

// supportsOverlay tries an overlay mount in dir.
func (m machine) supportsOverlay(dir string) (err error) {
	base, err := os.MkdirTemp(dir, "overlay-")
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "writing to the data folder: %w", err)
	}
	defer os.RemoveAll(base)
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(base, name), 0o755); err != nil {
			return drydock.Errorf(drydock.Unavailable, "writing to the data folder: %w", err)
		}
	}
	merged := filepath.Join(base, "merged")
	err = overlay{
		lower: []string{filepath.Join(base, "lower")},
		upper: filepath.Join(base, "upper"),
		work:  filepath.Join(base, "work"),
	}.mount(merged)
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "overlayfs does not work in %s: %w", dir, err).
			WithHint("use a data folder on ext4, xfs or btrfs")
	}
	return unix.Unmount(merged, unix.MNT_DETACH)
}

// lockFolder takes the folder for this process; the lock ends with it.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "locking the data folder: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		f.Close()
		return nil, drydock.Errorf(drydock.Unavailable, "another drydockd uses the data folder %s", dir).
			WithHint("wait for it, or choose another with --data")
	}
	if err != nil {
		f.Close()
		return nil, drydock.Errorf(drydock.Unavailable, "locking the data folder: %w", err)
	}
	return f, nil
}
