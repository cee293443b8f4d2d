package buildkit

import (
	"github.com/docker/go-units"

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

// memoryText writes a limit of memory as --memory takes it.
func memoryText(bytes int64) string {
	if bytes == 0 {
		return "no more than this machine has"
	}
	return "no more than " + units.BytesSize(float64(bytes))
}
