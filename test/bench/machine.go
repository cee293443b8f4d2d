package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes where the numbers come from, and how busy it is.
func machine() string {
	groups := "v1"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		groups = "v2"
	}
	load := strings.Fields(firstLine("/proc/loadavg") + " ?")[0]
	return fmt.Sprintf("%d processors, Linux %s, cgroup %s, load %s", runtime.NumCPU(), firstLine("/proc/sys/kernel/osrelease"), groups, load)
}

// firstLine returns the first line of a file, or nothing.
func firstLine(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}
