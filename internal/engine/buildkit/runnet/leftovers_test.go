package runnet_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/nftables"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// traces lists what the instances whose names begin with prefix have on the
// machine: namespaces, mounts, nftables tables and locks; and the links whose
// names begin with link.
func traces(t *testing.T, prefix, link string) []string {
	t.Helper()
	var found []string
	for _, dir := range []string{"/run/netns", runnet.DefaultMachineDir} {
		names, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, names...)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "/"+prefix) {
			found = append(found, "mount "+strings.Fields(line)[4])
		}
	}
	tables, err := (&nftables.Conn{}).ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if strings.HasPrefix(table.Name, prefix) {
			found = append(found, "table "+table.Name)
		}
	}
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if link != "" && strings.HasPrefix(l.Name, link) {
			found = append(found, "link "+l.Name)
		}
	}
	slices.Sort(found)
	return found
}

// instance returns the name of the instance that has the namespace.
func instance(path string) string {
	parts := strings.Split(filepath.Base(path), "-")
	return parts[0] + "-" + parts[1]
}

// linksPrefix begins the names of links of the instance that has the namespace.
func linksPrefix(path string) string {
	return "dd" + strings.Split(filepath.Base(path), "-")[1] + "-"
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	const prefix = "ddleft"
	m := newManager(t, func(c *runnet.Config) { c.Prefix = prefix })
	r := openRunWith(t, m, "first", runnet.RunOptions{Publish: true})
	link := linksPrefix(r.HostPath())
	before := traces(t, prefix, link)
	second := openRun(t, m, "second")
	attach(t, second, runnet.Endpoint{Name: "a", Ports: []string{"8080:80"}})
	attach(t, second, runnet.Endpoint{Name: "b"})
	if during := traces(t, prefix, link); len(during) != len(before)+3 {
		t.Errorf("a run adds a namespace, its mount and a link; before %v, now %v", before, during)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if after := traces(t, prefix, link); !slices.Equal(before, after) {
		t.Errorf("before the run there was %v, after it %v", before, after)
	}
	if _, err := second.Attach(t.Context(), runnet.Endpoint{Name: "late"}); err == nil {
		t.Error("a container was attached to a closed run")
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if after := traces(t, prefix, link); len(after) != 0 {
		t.Errorf("the manager left %v", after)
	}
	if _, err := m.OpenRun(t.Context(), "late", nil, runnet.RunOptions{}); err == nil {
		t.Error("a closed manager opened a run")
	}
}

func TestWhatAKilledProcessLeftIsSwept(t *testing.T) {
	t.Parallel()
	const prefix = "ddkill"
	killed, alive := startChild(t, prefix), startChild(t, prefix)
	killed.kill(t)
	link := linksPrefix(killed.path)
	if left := traces(t, prefix, link); !slices.Contains(left, killed.path) {
		t.Errorf("a killed process left only %v", left)
	}
	ours := traces(t, instance(alive.path), linksPrefix(alive.path))

	newManager(t, func(c *runnet.Config) { c.Prefix = prefix })
	if left := traces(t, instance(killed.path), link); len(left) != 0 {
		t.Errorf("after the sweep there is %v", left)
	}
	still := traces(t, instance(alive.path), linksPrefix(alive.path))
	if len(ours) != 5 || !slices.Equal(ours, still) {
		t.Errorf("a process that lives had %v, and after the sweep %v", ours, still)
	}
	alive.finish(t)
	if left := traces(t, instance(alive.path), linksPrefix(alive.path)); len(left) != 0 {
		t.Errorf("the other process left %v", left)
	}
}

func TestAttachFromManyGoroutines(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "many")
	server := attach(t, r, runnet.Endpoint{Name: "server"})
	serve(t, server.NetNSPath, ":80", "hello")
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[netip.Addr]bool{}
	for i := range 10 {
		wg.Go(func() {
			for range 3 {
				a, err := r.Attach(t.Context(), runnet.Endpoint{Name: fmt.Sprint("step", i), Ports: []string{fmt.Sprint(9000+i, ":80")}})
				if err != nil {
					t.Error(err)
					return
				}
				wantText(t, a.NetNSPath, netip.AddrPortFrom(server.IP, 80).String(), "hello from "+a.IP.String()+":")
				mu.Lock()
				if seen[a.IP] {
					t.Errorf("address %s was given out twice in a short time", a.IP)
				}
				seen[a.IP] = true
				mu.Unlock()
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNotRoot(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/proc/self/exe")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childEnv+"=new")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "run as root") {
		t.Errorf("without root, New says %q", out)
	}
}

func TestInstancesShareTheUplinks(t *testing.T) {
	t.Parallel()
	uplinks := func(c *runnet.Config) { c.Uplinks = netip.MustParsePrefix("198.51.100.0/26") } // of 16 runs
	a, b := newManager(t, uplinks), newManager(t, uplinks)
	var wg sync.WaitGroup
	paths := make([]string, 16)
	for i := range paths {
		m := []*runnet.Manager{a, b}[i%2]
		wg.Go(func() {
			r, err := m.OpenRun(t.Context(), fmt.Sprint("r", i), nil, runnet.RunOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			paths[i] = r.HostPath()
		})
	}
	wg.Wait()
	seen := map[netip.Addr]string{}
	for _, p := range paths {
		addr := addrOf(t, p, "uplink")
		if seen[addr] != "" {
			t.Errorf("%s and %s both have %s", p, seen[addr], addr)
		}
		seen[addr] = p
	}
	_, err := a.OpenRun(t.Context(), "more", nil, runnet.RunOptions{})
	if drydock.CodeOf(err) != drydock.Unavailable {
		t.Errorf("one run too many: got error %v", err)
	}
}
