package buildkit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// group is a control group: a folder of the same name in each hierarchy. Of
// version 2 there is one hierarchy, of version 1 one a controller.
type group struct {
	cgroups cgroups
	path    string // absolute, in each hierarchy
}

// child returns a group below g.
func (g group) child(name string) group { return group{g.cgroups, g.path + "/" + name} }

// dir returns the folder with the files of a controller.
func (g group) dir(controller string) string {
	if g.cgroups.unified {
		return filepath.Join(g.cgroups.root, g.path)
	}
	return filepath.Join(g.cgroups.root, controller, g.path)
}

// outOfMemory reports whether the kernel killed a process of the group for want
// of memory. The count is that of the group of the killed process, wherever
// the limit was set.
func (g group) outOfMemory() bool {
	file := "memory.oom_control"
	if g.cgroups.unified {
		file = "memory.events"
	}
	return counter(filepath.Join(g.dir("memory"), file), "oom_kill") > 0
}

// outOfPIDs reports whether a process of the group could not make another one.
// From Linux 6.11 on, version 2 counts that where the limit is set.
func (g group) outOfPIDs() bool {
	if counter(filepath.Join(g.dir("pids"), "pids.events"), "max") > 0 {
		return true
	}
	return g.cgroups.unified && counter(filepath.Join(filepath.Dir(g.dir("pids")), "pids.events"), "max") > 0
}

// counter reads one line of a file with a name and a number on each.
func counter(file, name string) uint64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if number, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, _ := strconv.ParseUint(number, 10, 64)
			return n
		}
	}
	return 0
}

// kill sends SIGKILL to all processes in the group and below it.
func (g group) kill() {
	root := g.dir("pids")
	if g.cgroups.unified && os.WriteFile(filepath.Join(root, "cgroup.kill"), []byte("1"), 0) == nil {
		return
	}
	for _, dir := range groupDirs(root) {
		data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue
		}
		for _, line := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(line); err == nil && pid > 1 {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
	}
}

// make makes the group in all hierarchies.
func (g group) make() error {
	for _, hierarchy := range g.cgroups.hierarchies {
		if err := makeDirs(filepath.Join(hierarchy, g.path)); err != nil {
			return err
		}
	}
	return nil
}

// makeDirs makes a folder. Another process may remove the one above it while it
// is empty.
func makeDirs(dir string) error {
	const attempts = 10
	var err error
	for range attempts {
		if err = os.MkdirAll(dir, 0o755); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// removeEmpty removes the group where nothing is in it.
func (g group) removeEmpty() {
	for _, hierarchy := range g.cgroups.hierarchies {
		_ = unix.Rmdir(filepath.Join(hierarchy, g.path))
	}
}

// remove kills what is in the group and removes it, with all groups below it.
func (g group) remove() error {
	const patience, pause = 2 * time.Second, 5 * time.Millisecond
	for start := time.Now(); ; time.Sleep(pause) {
		err := g.tryRemove()
		if err == nil {
			return nil
		}
		// The kernel takes a moment to bury the killed.
		if time.Since(start) > patience {
			return fmt.Errorf("removing the control group %s: %w", g.path, err)
		}
		g.kill()
	}
}

// tryRemove removes the group if nothing is in it, which is one system call a
// hierarchy for the group of a container that has ended.
func (g group) tryRemove() error {
	var errs []error
	for _, hierarchy := range g.cgroups.hierarchies {
		root := filepath.Join(hierarchy, g.path)
		switch err := unix.Rmdir(root); err {
		case nil, unix.ENOENT:
		default:
			errs = append(errs, removeGroupTree(root))
		}
	}
	return errors.Join(errs...)
}

func removeGroupTree(root string) error {
	var errs []error
	for _, dir := range groupDirs(root) {
		if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, fmt.Errorf("removing %s: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

// groupDirs returns the folders of a control group and of those below it,
// deepest first.
func groupDirs(root string) []string {
	var dirs []string
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	slices.Reverse(dirs)
	return dirs
}
