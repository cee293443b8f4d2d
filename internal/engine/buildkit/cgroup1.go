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

	"golang.org/x/sys/unix"
)

// oomKills1 reads the counters of the run's containers and of the run itself:
// version 1 counts a kill where the limit that caused it is set.
func (c *runCgroup) oomKills1() uint64 {
	var total uint64
	root := filepath.Join("/sys/fs/cgroup/memory", c.path)
	for _, dir := range groupDirs(root) {
		data, err := os.ReadFile(filepath.Join(dir, "memory.oom_control"))
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(bytes.NewReader(data))
		for lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "oom_kill "); ok {
				kills, _ := strconv.ParseUint(n, 10, 64)
				total += kills
			}
		}
	}
	return total
}

func removeGroup1(path string) error {
	hierarchies, err := filepath.Glob("/sys/fs/cgroup/*/" + path)
	if err != nil {
		return err
	}
	var errs []error
	for _, root := range hierarchies {
		killGroupTree(root)
		errs = append(errs, removeGroupTree(root))
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

func removeGroupTree(root string) error {
	var errs []error
	for _, dir := range groupDirs(root) {
		if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, fmt.Errorf("removing %s: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

func killGroupTree(root string) {
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
