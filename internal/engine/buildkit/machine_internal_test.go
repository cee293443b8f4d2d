package buildkit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// goodMachine is one that has all that is needed, with control groups as given
// by the files below its cgroup folder.
func goodMachine(t *testing.T, cgroups ...string) probe {
	t.Helper()
	dir := t.TempDir()
	for _, name := range cgroups {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("cpuset cpu io memory pids\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return probe{
		lookPath: func(program string) (string, error) { return "/sbin/" + program, nil },
		cgroups:  dir, proc: "/proc",
		mount: func(overlay, string) error { return nil },
	}
}

var version1 = []string{"memory/memory.memsw.limit_in_bytes", "cpu/tasks", "pids/tasks", "blkio/tasks"}

func wantUnavailable(t *testing.T, err error, parts ...string) {
	t.Helper()
	var e *drydock.Error
	if !errors.As(err, &e) || e.Code != drydock.Unavailable || e.Hint == "" {
		t.Fatalf("error is %#v, want a *drydock.Error with code %s and a hint", err, drydock.Unavailable)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error is %q, want it to mention %q", err, part)
		}
	}
}

func TestMachineWithoutTheMeans(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*probe)
		says   []string
	}{
		"not root": {func(p *probe) { p.euid = 1000 }, []string{"root", "sudo"}},
		"no runc": {func(p *probe) {
			p.lookPath = func(string) (string, error) { return "", exec.ErrNotFound }
		}, []string{"runc", "apt-get install"}},
		"no cgroups":    {func(p *probe) { p.cgroups = filepath.Join(p.cgroups, "none") }, []string{"control groups", "memory"}},
		"no pids":       {func(p *probe) { _ = os.RemoveAll(filepath.Join(p.cgroups, "pids")) }, []string{"control groups for pids"}},
		"no namespaces": {func(p *probe) { p.proc = t.TempDir() }, []string{"namespaces"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := goodMachine(t, version1...)
			if _, err := p.inspect(); err != nil {
				t.Fatal(err)
			}
			test.change(&p)
			_, err := p.inspect()
			wantUnavailable(t, err, test.says...)
		})
	}
}

func TestCgroupVersions(t *testing.T) {
	t.Parallel()
	m, err := goodMachine(t, version1...).inspect()
	if err != nil || m.cgroups.unified || !m.cgroups.limitsSwap || len(m.cgroups.hierarchies) != 4 {
		t.Errorf("version 1: %+v, %v", m, err)
	}
	m, err = goodMachine(t, "memory/tasks", "cpu/tasks", "pids/tasks").inspect()
	if err != nil || m.cgroups.limitsSwap {
		t.Errorf("version 1 without limits of swap: %+v, %v", m, err)
	}
	m, err = goodMachine(t, "cgroup.controllers").inspect()
	if err != nil || !m.cgroups.unified || len(m.cgroups.hierarchies) != 1 {
		t.Errorf("version 2: %+v, %v", m, err)
	}
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	refused := errors.New("operation not supported")
	for name, test := range map[string]struct {
		mount    func(o overlay) error
		volatile bool
		fails    bool
	}{
		"new kernel": {func(overlay) error { return nil }, true, false},
		"without volatile": {func(o overlay) error {
			if o.volatile {
				return unix.EINVAL
			}
			return nil
		}, false, false},
		"no overlay": {func(overlay) error { return refused }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := goodMachine(t)
			p.mount = func(o overlay, _ string) error { return test.mount(o) }
			dir := t.TempDir()
			volatile, err := p.tryOverlay(dir)
			if test.fails {
				wantUnavailable(t, err, dir)
			} else if err != nil {
				t.Fatal(err)
			}
			if volatile != test.volatile {
				t.Errorf("volatile is %v", volatile)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	_, err := goodMachine(t).tryOverlay(filepath.Join(t.TempDir(), "missing"))
	wantUnavailable(t, err)
}

// The real mount, with the option and without.
func TestOverlayMount(t *testing.T) {
	t.Parallel()
	for _, volatile := range []bool{true, false} {
		dir := t.TempDir()
		o := overlay{
			lower: []string{filepath.Join(dir, "lo:w,er")}, upper: filepath.Join(dir, `up\per`),
			work: filepath.Join(dir, "work"), volatile: volatile, options: []string{"nodev"},
		}
		target := filepath.Join(dir, "target")
		for _, d := range slices.Concat(o.lower, []string{o.upper, o.work, target}) {
			if err := os.Mkdir(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(o.lower[0], "file"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := o.mount(target); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(target, "file")); err != nil {
			t.Error(err)
		}
		for range 2 { // the second time, nothing is there
			if err := unmount(target); err != nil {
				t.Error(err)
			}
		}
	}
}
