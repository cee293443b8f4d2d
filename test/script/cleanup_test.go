package script_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// removeData checks that nothing of a data folder is in use, and deletes it.
func removeData(data string) error {
	err := errors.Join(noMounts(data), noProcesses(data), noGroups(data))
	return errors.Join(err, os.RemoveAll(data))
}

// noMounts checks that nothing is mounted in a data folder.
func noMounts(data string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var errs []error
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); strings.HasPrefix(fields[4], data+"/") {
			errs = append(errs, fmt.Errorf("%s is still mounted", fields[4]))
		}
	}
	return errors.Join(errs...)
}

// noGroups checks that there is no control group of a data folder; they are
// named by a hash of it.
func noGroups(data string) error {
	sum := sha256.Sum256([]byte(data))
	name := "drydock/" + hex.EncodeToString(sum[:4])
	groups, err := filepath.Glob("/sys/fs/cgroup/*/" + name)
	unified, unifiedErr := filepath.Glob("/sys/fs/cgroup/" + name)
	var errs []error
	for _, group := range append(groups, unified...) {
		errs = append(errs, fmt.Errorf("%s still exists", group))
	}
	return errors.Join(append(errs, err, unifiedErr)...)
}

// noProcesses checks that no process has the data folder in its arguments or
// among its mounts: containers have their root file system there.
func noProcesses(data string) error {
	var errs []error
	for _, name := range []string{"cmdline", "mountinfo"} {
		files, err := filepath.Glob("/proc/[0-9]*/" + name)
		if err != nil {
			return err
		}
		for _, file := range files {
			// A process may end before it is looked at.
			if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(data+"/")) {
				command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
				errs = append(errs, fmt.Errorf("%s of a process %q still names the data folder", name, command))
			}
		}
	}
	return errors.Join(errs...)
}
