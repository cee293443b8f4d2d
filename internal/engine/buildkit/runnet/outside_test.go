package runnet_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// outside is a machine beyond the host: a namespace of its own behind a veth
// pair, with a route back to the host alone.
type outside struct {
	path string
	addr netip.Addr // its own
	host netip.Addr // the host's, on the way to it
	link string     // on the host
}

// newOutside makes a machine beyond the host; n tells parallel tests apart.
func newOutside(t *testing.T, n int) outside {
	t.Helper()
	o := outside{
		host: netip.AddrFrom4([4]byte{203, 0, 113, byte(4*n + 1)}),
		addr: netip.AddrFrom4([4]byte{203, 0, 113, byte(4*n + 2)}),
		link: fmt.Sprintf("rnt%d-%d", os.Getpid()%100000, n),
	}
	ns, path := newNamespace(t)
	o.path = path
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Flags = o.link, net.FlagUp
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(int(ns.Fd()))}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before the manager closes: links may go at any time
		if err := errors.Join(netlink.LinkDel(veth), ns.Close()); err != nil {
			t.Error(err)
		}
	})
	addAddr(t, o.link, o.host)
	if err := inside(o.path, func() error {
		l, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(o.addr.String() + "/30")
		if err != nil {
			return err
		}
		return errors.Join(netlink.AddrAdd(l, a), netlink.LinkSetUp(l))
	}); err != nil {
		t.Fatal(err)
	}
	return o
}

func addAddr(t *testing.T, link string, addr netip.Addr) {
	t.Helper()
	l, err := netlink.LinkByName(link)
	if err != nil {
		t.Fatal(err)
	}
	a, err := netlink.ParseAddr(addr.String() + "/30")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(l, a); err != nil {
		t.Fatal(err)
	}
}

func TestStepsReachTheOutside(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	o := newOutside(t, 1)
	r := openRun(t, m, "out")
	serve(t, o.path, ":80", "outside")
	step := attach(t, r, runnet.Endpoint{Name: "step"})
	build, err := m.BuildNetwork().Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"step": step.NetNSPath, "build": build.NetNSPath, "host": r.HostPath()} {
		got, err := get(path, netip.AddrPortFrom(o.addr, 80).String())
		if err != nil {
			t.Errorf("%s does not reach the outside: %v", name, err)
		} else if !strings.Contains(got, "outside from "+o.host.String()+":") {
			t.Errorf("%s: the outside said %q, want it to see the host's address %s", name, got, o.host)
		}
	}

	// Nothing comes in, even with a route to the run.
	uplink := addrOf(t, r.HostPath(), "uplink")
	serve(t, r.HostPath(), ":81", "private")
	if err := inside(o.path, func() error {
		l, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: o.host.AsSlice()})
	}); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, o.path, netip.AddrPortFrom(uplink, 81).String())
}

func TestStepsDontReachTheHostsLoopback(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "loopback")
	step := attach(t, r, runnet.Endpoint{Name: "step"})
	var l net.Listener
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := netip.MustParseAddrPort(l.Addr().String()).Port()
	gateway := netip.MustParsePrefix(addrOf(t, r.HostPath(), "uplink").String() + "/30").Masked().Addr().Next()
	for _, from := range []string{step.NetNSPath, r.HostPath()} {
		for _, addr := range []netip.Addr{netip.MustParseAddr("127.0.0.1"), gateway} {
			wantNothing(t, from, netip.AddrPortFrom(addr, port).String())
		}
	}
}

func TestBuildsNeverMeet(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	a, err := m.BuildNetwork().Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.BuildNetwork().Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	serve(t, a.NetNSPath, ":80", "private")
	wantText(t, a.NetNSPath, netip.AddrPortFrom(a.IP, 80).String(), "private")
	wantNothing(t, b.NetNSPath, netip.AddrPortFrom(a.IP, 80).String())

	// Nor by way of the gateway, which could pass packets on.
	if err := inside(b.NetNSPath, func() error {
		l, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		_, dst, err := net.ParseCIDR(a.IP.String() + "/32")
		if err != nil {
			return err
		}
		gw := netip.MustParsePrefix(a.IP.String() + "/22").Masked().Addr().Next()
		return netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: dst, Gw: gw.AsSlice()})
	}); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, b.NetNSPath, netip.AddrPortFrom(a.IP, 80).String())
}
