package buildkit

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// machine is what an executor found on this machine.
type machine struct {
	runc     string // path of the program
	cgroups  cgroups
	volatile bool // overlayfs can do without syncing what nobody keeps
}

// cgroups is how control groups are mounted.
type cgroups struct {
	root        string   // /sys/fs/cgroup
	unified     bool     // version 2
	hierarchies []string // folders of all hierarchies
	limitsSwap  bool     // memory limits can include swap
}

// probe is how a machine is looked at.
type probe struct {
	euid     int
	lookPath func(program string) (string, error)
	cgroups  string // where control groups are mounted
	proc     string
	mount    func(o overlay, target string) error
}

// thisMachine looks at the machine that the program runs on.
func thisMachine() probe {
	return probe{
		euid: os.Geteuid(), lookPath: exec.LookPath,
		cgroups: "/sys/fs/cgroup", proc: "/proc", mount: overlay.mount,
	}
}

// inspect checks for all that containers need. A machine without the means is
// an error, never a reason to run with less isolation. It returns a
// *drydock.Error with code Unavailable and a hint.
func (p probe) inspect() (machine, error) {
	var m machine
	if p.euid != 0 {
		return m, drydock.Errorf(drydock.Unavailable, "running containers needs root").
			WithHint("run it with sudo")
	}
	var err error
	if m.runc, err = p.lookPath("runc"); err != nil {
		return m, drydock.Errorf(drydock.Unavailable, "runc is not installed").
			WithHint("apt-get install runc")
	}
	if m.cgroups, err = p.findCgroups(); err != nil {
		return m, err
	}
	for _, ns := range []string{"net", "pid", "mnt", "ipc", "uts"} {
		if _, err := os.Stat(filepath.Join(p.proc, "self", "ns", ns)); err != nil {
			return m, drydock.Errorf(drydock.Unavailable, "the kernel has no %s namespaces", ns).
				WithHint("containers need a kernel with CONFIG_NAMESPACES")
		}
	}
	return m, nil
}

// findCgroups looks for the controllers that limits need.
func (p probe) findCgroups() (cgroups, error) {
	c := cgroups{root: p.cgroups}
	var controllers []string
	if data, err := os.ReadFile(filepath.Join(p.cgroups, "cgroup.controllers")); err == nil {
		c.unified, c.hierarchies, c.limitsSwap = true, []string{p.cgroups}, true
		controllers = strings.Fields(string(data))
	} else {
		entries, err := os.ReadDir(p.cgroups)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c, drydock.Errorf(drydock.Unavailable, "reading %s: %w", p.cgroups, err)
		}
		for _, e := range entries {
			controllers = append(controllers, e.Name())
			// cpu and cpuacct are often links to one hierarchy.
			if e.IsDir() {
				c.hierarchies = append(c.hierarchies, filepath.Join(p.cgroups, e.Name()))
			}
		}
		_, err = os.Stat(filepath.Join(p.cgroups, "memory", "memory.memsw.limit_in_bytes"))
		c.limitsSwap = err == nil
	}
	for _, needed := range []string{"memory", "cpu", "pids"} {
		if !slices.Contains(controllers, needed) {
			return c, drydock.Errorf(drydock.Unavailable, "%s has no control groups for %s", p.cgroups, needed).
				WithHint("limits of memory, CPU and processes need them; mount them, or boot with cgroup_enable=%s", needed)
		}
	}
	return c, nil
}

// tryOverlay tries an overlay mount in dir and reports whether the kernel has
// the option `volatile`, which came with Linux 5.10.
func (p probe) tryOverlay(dir string) (volatile bool, err error) {
	base, err := os.MkdirTemp(dir, "overlay-")
	if err != nil {
		return false, unwritable(dir, err)
	}
	defer func() { err = joinCleanup(err, os.RemoveAll(base)) }()
	o := overlay{
		lower: []string{filepath.Join(base, "lower")}, upper: filepath.Join(base, "upper"),
		work: filepath.Join(base, "work"), volatile: true,
	}
	merged := filepath.Join(base, "merged")
	for _, folder := range []string{o.lower[0], o.upper, o.work, merged} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return false, unwritable(dir, err)
		}
	}
	err = p.mount(o, merged)
	if errors.Is(err, unix.EINVAL) {
		o.volatile = false
		err = p.mount(o, merged)
	}
	if err != nil {
		return false, drydock.Errorf(drydock.Unavailable, "overlayfs does not work in %s: %w", dir, err).
			WithHint("use a data folder on ext4, xfs or btrfs")
	}
	return o.volatile, unmount(merged)
}
