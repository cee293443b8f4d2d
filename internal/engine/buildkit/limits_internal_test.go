package buildkit

import (
	"testing"

	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
)

// What is written to a control group of version 2, also where tests run on
// version 1.
func TestUnifiedResources(t *testing.T) {
	t.Parallel()
	limits := withDefaults(drydock.Limits{Memory: 64 << 20, CPUs: 1.5}, drydock.Limits{PIDs: 100, Memory: 1})
	memory, swap := int64(64<<20), int64(0)
	want := &cgroup2.Resources{
		CPU:    &cgroup2.CPU{Max: "150000 100000"},
		Memory: &cgroup2.Memory{Max: &memory, Swap: &swap},
		Pids:   &cgroup2.Pids{Max: 100},
	}
	if diff := cmp.Diff(want, cgroup2.ToResources(limitResources(limits, true))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	got := withDefaults(drydock.Limits{}, drydock.Limits{})
	if got.PIDs != defaultPIDs || got.CPUs != 0 || got.Memory <= 0 {
		t.Errorf("limits are %+v", got)
	}
	if r := limitResources(got, false); r.CPU != nil || r.Memory.Swap != nil {
		t.Errorf("resources are %+v", r)
	}
}

func TestCPUQuota(t *testing.T) {
	t.Parallel()
	for cpus, want := range map[float64]int64{0: 0, -1: 0, 0.001: 1000, 0.5: 50_000, 2: 200_000} {
		if got := cpuQuota(cpus); got != want {
			t.Errorf("%v CPUs are %d, want %d", cpus, got, want)
		}
	}
}
