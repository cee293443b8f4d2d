package buildkit_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// eater is a script that eats all memory it gets.
const eater = "tail /dev/zero"

// forker is a script that forks without end, and ends when it can't.
const forker = "while :; do sleep 1000 & done"

func limited(limits drydock.Limits) func(*engine.RunSpec) {
	return func(s *engine.RunSpec) { s.ID, s.Limits = "limited", limits }
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "", limited(drydock.Limits{Memory: 64 << 20}))
	c, _ := r.box("eater", busybox, "sh", "-c", eater)
	wantExit(t, r.Run(t.Context(), c), 137, "out of memory", "64MiB")
	c, _ = r.box("eater", busybox, "sh", "-c", eater+"; echo $?; exit 5")
	wantExit(t, r.Run(t.Context(), c), 5, "out of memory", "64MiB")
	r.run(busybox, "true")
	// A failure that has nothing to do with it is not put down to it.
	c, _ = r.box("other", busybox, "false")
	if err := r.Run(t.Context(), c); err == nil || err.Error() != "exit status 1" {
		t.Errorf("error is %v", err)
	}
}

// A run that sets no limit still may not have all of the machine.
func TestMemoryIsLimitedByDefault(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "", func(s *engine.RunSpec) { s.ID = "default-memory" })
	r.run(busybox, "true")
	limit := groupFile(t, "default-memory", "memory", "memory.limit_in_bytes", "memory.max")
	if limit == "max" || len(limit) > 15 {
		t.Errorf("the limit is %s", limit)
	}
}

func TestPIDsLimit(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "", limited(drydock.Limits{PIDs: 60}))
	for _, script := range []string{forker, "f() { f | f & f; }; f; exit 1"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c, _ := r.box("forker", busybox, "sh", "-c", script)
		err := r.Run(ctx, c)
		if err == nil {
			t.Fatalf("%q succeeded", script)
		}
		wantContains(t, "the error", err.Error(), "out of processes", "60")
	}
	wantEqual(t, "output of the next step", r.run(busybox, "echo usable"), "usable\n")
}

// The limits are those of all containers of a run together.
func TestLimitsOfARun(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "", func(s *engine.RunSpec) {
		s.ID, s.Limits = "shared-limits", drydock.Limits{Memory: 512 << 20, CPUs: 1.5, PIDs: 30}
	})
	first, _ := r.box("first", busybox, "sh", "-c", "for i in $(seq 15); do sleep 1000 & done; wait")
	r.start(first)
	second, _ := r.box("second", busybox, "sh", "-c", "for i in $(seq 20); do sleep 1000 & done")
	if err := r.Run(t.Context(), second); err == nil {
		t.Error("two containers have more processes than the run may")
	}
	wantEqual(t, "memory", groupFile(t, "shared-limits", "memory", "memory.limit_in_bytes", "memory.max"), "536870912")
	wantEqual(t, "processes", groupFile(t, "shared-limits", "pids", "pids.max", "pids.max"), "30")
	quota := groupFile(t, "shared-limits", "cpu", "cpu.cfs_quota_us", "cpu.max")
	wantEqual(t, "CPU quota", strings.Fields(quota)[0], "150000")
}

// groupFile reads a file of the control group of a run, whichever version this
// machine has.
func groupFile(t *testing.T, run, controller, v1, v2 string) string {
	t.Helper()
	for _, pattern := range []string{
		filepath.Join("/sys/fs/cgroup", controller, "drydock", "*", run+"-*", v1),
		filepath.Join("/sys/fs/cgroup/drydock/*", run+"-*", v2),
	} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimSpace(string(data))
		}
	}
	t.Fatalf("run %s has no control group for %s", run, controller)
	return ""
}

func TestLimitsOfBuilds(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	e := newExecutor(t, buildkit.Config{Limits: drydock.Limits{PIDs: 60}})
	for name, test := range map[string]struct {
		run  string
		says []string
	}{
		"Memory":    {eater, []string{"137", "64MiB"}},
		"Processes": {forker, []string{"exit code: 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := openRun(t, e, "-- Dockerfile --\nFROM "+reg.Host+"/busybox\nRUN "+test.run+"\n", limited(drydock.Limits{Memory: 64 << 20}))
			wantError(t, r.buildError("."), drydock.Failed, test.says...)
		})
	}
}
