package buildkit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
)

// dump lists all that runs on the data folder root may have made on the
// machine: mounts, network namespaces, links, nftables tables, control groups,
// containers of runc, processes and folders.
func dump(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	add := func(kind string, names ...string) {
		for _, name := range names {
			found = append(found, kind+" "+name)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		add("mount", strings.Fields(line)[4])
	}
	add("netns", names(t, "/run/netns")...)
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		add("link", l.Name)
	}
	tables, err := (&nftables.Conn{}).ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		add("nftables", table.Name)
	}
	sum := sha256.Sum256([]byte(root))
	instance := hex.EncodeToString(sum[:4])
	groups, err := filepath.Glob("/sys/fs/cgroup/*/drydock/" + instance)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		add("cgroup", folders(g)...)
	}
	add("runc", names(t, "/run/runc")...)
	add("runc", names(t, filepath.Join("/run/drydock", instance, "runc"))...)
	add("bundle", names(t, filepath.Join("/run/drydock", instance))...)
	add("run", names(t, filepath.Join(root, "run"))...)
	add("temp", names(t, filepath.Join(root, "tmp"))...)
	add("bundle", names(t, filepath.Join(root, "runc-overlayfs", "executor"))...)
	add("lock", names(t, "/run/drydock")...)
	add("process", processes(t)...)
	slices.Sort(found)
	return slices.DeleteFunc(found, func(s string) bool {
		// What is kept for the next time.
		return s == "lock net.lock" || s == "lock users.lock" || s == "mount /run/netns" || s == "bundle hosts" || s == "bundle resolv.conf" || s == "bundle runc-log.json"
	})
}

// kinds returns of how many kinds something is in a dump.
func kinds(dump []string) map[string]int {
	n := map[string]int{}
	for _, line := range dump {
		kind, _, _ := strings.Cut(line, " ")
		n[kind]++
	}
	return n
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func folders(dir string) []string {
	var out []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			out = append(out, path)
		}
		return nil
	})
	return out
}

// processes lists the command lines of all processes but zombies and this one.
func processes(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range names(t, "/proc") {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", name, "cmdline"))
		if err == nil && len(line) > 0 {
			out = append(out, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return out
}

// wantDump fails unless a dump becomes what it was before; the kernel takes
// away a namespace's links in the background.
func wantDump(t *testing.T, root string, before []string) {
	t.Helper()
	var diff string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if diff = cmp.Diff(before, dump(t, root)); diff == "" {
			return
		}
	}
	t.Errorf("something is left (-before +after):\n%s", diff)
}
