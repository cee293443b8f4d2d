package buildkit

import (
	"fmt"

	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/docker/go-units"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// defaultPIDs bounds the processes of a run that sets no limit: enough for any
// build, too few to hurt the machine.
const defaultPIDs = 4096

func pidsLimit(limits drydock.Limits) int64 {
	if limits.PIDs > 0 {
		return limits.PIDs
	}
	return defaultPIDs
}

// defaultMemory bounds the memory of a run that sets no limit, so that a step
// that eats all of it is what the kernel kills, and not something else of this
// machine.
func defaultMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	total := int64(info.Totalram) * int64(info.Unit)
	return total - total/10
}

// withDefaults fills the limits that are not set from others.
func withDefaults(limits, others drydock.Limits) drydock.Limits {
	if limits.Memory == 0 {
		limits.Memory = others.Memory
	}
	if limits.Memory == 0 {
		limits.Memory = defaultMemory()
	}
	if limits.CPUs == 0 {
		limits.CPUs = others.CPUs
	}
	if limits.PIDs == 0 {
		limits.PIDs = others.PIDs
	}
	limits.PIDs = pidsLimit(limits)
	return limits
}

// cpuPeriod is the period of CPU quotas, in microseconds; docker's own.
const cpuPeriod = 100_000

// cpuQuota returns the quota for a number of CPUs, in microseconds a cpuPeriod;
// 0 for no limit.
func cpuQuota(cpus float64) int64 {
	if cpus <= 0 {
		return 0
	}
	return max(int64(cpus*cpuPeriod), 1000)
}

// limitResources returns limits as a control group takes them.
func limitResources(limits drydock.Limits, limitSwap bool) *specs.LinuxResources {
	resources := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limits.PIDs}}
	if limits.Memory > 0 {
		resources.Memory = &specs.LinuxMemory{Limit: &limits.Memory}
		if limitSwap {
			// Swap would only hide that the limit is reached.
			resources.Memory.Swap = &limits.Memory
		}
	}
	if quota := cpuQuota(limits.CPUs); quota > 0 {
		period := uint64(cpuPeriod)
		resources.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	return resources
}

// newLimitedGroup makes a control group whose processes, also those of the
// groups below it, share limits.
func newLimitedGroup(g group, limits drydock.Limits) (err error) {
	resources := limitResources(limits, g.cgroups.limitsSwap)
	if g.cgroups.unified {
		_, err = cgroup2.NewManager(g.cgroups.root, g.path, cgroup2.ToResources(resources))
	} else {
		_, err = cgroup1.New(cgroup1.StaticPath(g.path), resources)
	}
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "making the run's control group: %w", err).
			WithHint("limits of memory, CPU and processes need the controllers memory, cpu and pids")
	}
	return nil
}

// limitText says which limit a container that ended with an error ran into;
// empty if none.
func limitText(g group, limits drydock.Limits) string {
	switch {
	case g.outOfMemory():
		return "out of memory: the run may use no more than " + memoryText(limits.Memory)
	case g.outOfPIDs():
		return fmt.Sprintf("out of processes: the run may have no more than %d", limits.PIDs)
	}
	return ""
}

// memoryText writes a limit of memory for people.
func memoryText(bytes int64) string {
	if bytes == 0 {
		return "this machine has"
	}
	return units.BytesSize(float64(bytes))
}
