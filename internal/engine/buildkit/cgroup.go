package buildkit

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/containerd/cgroups/v3/cgroup2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/drydockhq/drydock"
)

// runCgroup is the control group that the containers of one run share, with
// the limits of the run.
type runCgroup struct {
	path string // in each hierarchy
	v1   cgroup1.Cgroup
	v2   *cgroup2.Manager
}

func (r *runtime) newRunCgroup(name string, limits drydock.Limits) (*runCgroup, error) {
	c := &runCgroup{path: path.Join(r.cgroupPath(), name)}
	resources := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limits.PIDs}}
	if limits.Memory > 0 {
		// Swap would only hide that the limit is reached.
		resources.Memory = &specs.LinuxMemory{Limit: &limits.Memory, Swap: &limits.Memory}
	}
	if quota := cpuQuota(limits.CPUs); quota > 0 {
		period := uint64(cpuPeriod)
		resources.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	var err error
	if r.machine.unified {
		c.v2, err = cgroup2.NewManager("/sys/fs/cgroup", c.path, cgroup2.ToResources(resources))
	} else {
		c.v1, err = newCgroup1(c.path, resources)
	}
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making the run's control group: %w", err).
			WithHint("limits of memory, CPU and processes need the controllers memory, cpu and pids")
	}
	return c, nil
}

// newCgroup1 makes the group and, where the kernel has no limit for swap, tries
// again without one.
func newCgroup1(path string, resources *specs.LinuxResources) (cgroup1.Cgroup, error) {
	group, err := cgroup1.New(cgroup1.StaticPath(path), resources)
	if err == nil || resources.Memory == nil {
		return group, err
	}
	resources.Memory.Swap = nil
	return cgroup1.New(cgroup1.StaticPath(path), resources)
}

// oomKills returns how often the kernel killed a process of the run for want
// of memory.
func (c *runCgroup) oomKills() uint64 {
	if c.v2 != nil {
		stat, err := c.v2.Stat()
		if err != nil || stat.MemoryEvents == nil {
			return 0
		}
		return stat.MemoryEvents.OomKill
	}
	return c.oomKills1()
}

// Close kills what is left in the group and removes it.
func (c *runCgroup) Close() error { return removeGroup(c.path, c.v2 != nil) }

// removeGroup kills what is in a control group and removes it, with all groups
// below it.
func removeGroup(path string, unified bool) error {
	const attempts, pause = 200, 10 * time.Millisecond
	remove := removeGroup1
	if unified {
		remove = removeGroup2
	}
	var err error
	for range attempts {
		if err = remove(path); err == nil {
			return nil
		}
		// The kernel takes a moment to bury the killed.
		time.Sleep(pause)
	}
	return fmt.Errorf("removing the control group %s: %w", path, err)
}

// killGroup sends SIGKILL to all processes in a control group and below it.
func killGroup(path string, unified bool) {
	if unified {
		root := filepath.Join("/sys/fs/cgroup", path)
		if os.WriteFile(filepath.Join(root, "cgroup.kill"), []byte("1"), 0) != nil {
			killGroupTree(root)
		}
		return
	}
	killGroupTree(filepath.Join("/sys/fs/cgroup/pids", path))
}

func removeGroup2(path string) error {
	killGroup(path, true)
	return removeGroupTree(filepath.Join("/sys/fs/cgroup", path))
}
