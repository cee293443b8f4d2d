package runnet_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"

	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// TestOnAMachineOfItsOwn runs in a process whose host network is a namespace
// that no other test uses, so that all of it can be compared.
func TestOnAMachineOfItsOwn(t *testing.T) {
	if os.Getenv(childEnv) != "machine" {
		t.Parallel()
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestOnAMachineOfItsOwn$")
		cmd.Env = append(os.Environ(), childEnv+"=machine")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	furnish(t)
	dir := t.TempDir()
	before := dump(t)
	open := func() (*runnet.Manager, *runnet.Run) {
		m := newManager(t, func(c *runnet.Config) {
			c.Prefix, c.MachineDir, c.StateDir = "ddmachine", dir, filepath.Join(t.TempDir(), "state")
		})
		return m, openRun(t, m, "run")
	}

	m, r := open()
	if !strings.HasPrefix(m.DNS(), "10.213.") {
		t.Errorf("the name server is %s, in a range that the machine has a route for", m.DNS())
	}
	if w := m.Warnings(); len(w) != 1 || !strings.Contains(w[0], `"foreign strict"`) {
		t.Errorf("the warnings are %q, want one about a chain that drops", w)
	}
	if got := mtuOf(t, attach(t, r, runnet.Endpoint{Name: "step"}).NetNSPath); got != 1400 {
		t.Errorf("a container's MTU is %d, want the 1400 of the way out", got)
	}
	wantForwarding(t, "out0", "1")
	wantForwarding(t, "all", "0")
	second, _ := open()
	mustClose(t, m)
	wantForwarding(t, "out0", "1")
	mustClose(t, second)
	if after := dump(t); !slices.Equal(before, after) {
		t.Errorf("the machine was\n%s\nand is\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}

	files := openFiles(t)
	m, _ = open()
	mustClose(t, m)
	if after := openFiles(t); after != files {
		t.Errorf("the process had %d open files, and has %d after the manager was closed", files, after)
	}

	m, _ = open()
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustClose(t, m)
	wantForwarding(t, "out0", "1")
	_, r = open()
	wantNoMetadata(t, r)
}

func mustClose(t *testing.T, m *runnet.Manager) {
	t.Helper()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// furnish gives the machine a way out, a route in the range that is tried first,
// and somebody else's firewall.
func furnish(t *testing.T) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.Flags = "out0", 1400, net.FlagUp
	l := &netlink.Veth{LinkAttrs: attrs, PeerName: "peer0"}
	addr, err := netlink.ParseAddr("192.0.2.1/24")
	if err != nil {
		t.Fatal(err)
	}
	_, busy, err := net.ParseCIDR("198.18.0.0/15")
	if err != nil {
		t.Fatal(err)
	}
	gw := net.IPv4(192, 0, 2, 2)
	err = errors.Join(netlink.LinkAdd(l), netlink.AddrAdd(l, addr))
	err = errors.Join(err, netlink.RouteAdd(&netlink.Route{LinkIndex: l.Index, Gw: gw}),
		netlink.RouteAdd(&netlink.Route{LinkIndex: l.Index, Gw: gw, Dst: busy}))
	conn := &nftables.Conn{}
	drop := nftables.ChainPolicyDrop
	conn.AddChain(&nftables.Chain{
		Name: "strict", Table: conn.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "foreign"}),
		Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &drop,
	})
	if err := errors.Join(err, conn.Flush()); err != nil {
		t.Fatal(err)
	}
}

// dump describes links, addresses, routes, nftables, forwarding, and the
// namespaces and mounts of this test.
func dump(t *testing.T) []string {
	t.Helper()
	var lines []string
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		name := l.Attrs().Name
		b, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + name + "/forwarding")
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, "link "+name+" forwarding "+strings.TrimSpace(string(b)))
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		lines = append(lines, "route "+r.String())
	}
	chains, err := (&nftables.Conn{}).ListChains()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chains {
		lines = append(lines, fmt.Sprint("chain ", c.Table.Name, " ", c.Name))
	}
	return append(lines, traces(t, "ddmachine", "dd")...)
}

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// wantNoMetadata checks that the address where clouds hand out the machine's
// credentials answers the machine, and not a step.
func wantNoMetadata(t *testing.T, r *runnet.Run) {
	t.Helper()
	const metadata, beside = "169.254.169.254", "192.0.2.77"
	l, err := netlink.LinkByName("peer0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := netlink.ParseAddr(metadata + "/32")
	if err != nil {
		t.Fatal(err)
	}
	b, err := netlink.ParseAddr(beside + "/24")
	if err != nil {
		t.Fatal(err)
	}
	conn := &nftables.Conn{} // the firewall would drop all of it
	conn.DelTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "foreign"})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	ns, cloud := newNamespace(t)
	defer ns.Close()
	if err := netlink.LinkSetNsFd(l, int(ns.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := inside(cloud, func() error {
		return errors.Join(netlink.LinkSetUp(l), netlink.AddrAdd(l, a), netlink.AddrAdd(l, b))
	}); err != nil {
		t.Fatal(err)
	}
	out, err := netlink.LinkByName("out0")
	if err != nil {
		t.Fatal(err)
	}
	_, dst, err := net.ParseCIDR(metadata + "/32")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: out.Attrs().Index, Dst: dst}); err != nil {
		t.Fatal(err)
	}
	defer serve(t, cloud, ":80", "credentials")()
	wantText(t, "", metadata+":80", "credentials")
	for _, from := range []string{attach(t, r, runnet.Endpoint{Name: "curious"}).NetNSPath, r.HostPath()} {
		wantText(t, from, beside+":80", "credentials")
		wantNothing(t, from, metadata+":80")
	}
}

func wantForwarding(t *testing.T, link, want string) {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + link + "/forwarding")
	if got := strings.TrimSpace(string(b)); err != nil || got != want {
		t.Errorf("forwarding of %s is %s, %v; want %s", link, got, err, want)
	}
}

func mtuOf(t *testing.T, path string) int {
	t.Helper()
	mtu := 0
	if err := inside(path, func() error {
		l, err := net.InterfaceByName("eth0")
		if err == nil {
			mtu = l.MTU
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return mtu
}
