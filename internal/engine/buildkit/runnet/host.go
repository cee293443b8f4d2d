package runnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// hostRoutes are the IPv4 destinations of the host's routes in all tables but
// the default ones, and the links that they go out by.
type hostRoutes struct {
	foreign []netip.Prefix       // not those of runs, of any instance
	runs    []netip.Prefix       // those of runs
	links   map[int]netlink.Link // by index, without the loopback and those of runs
}

// used returns all destinations.
func (r hostRoutes) used() []netip.Prefix { return slices.Concat(r.foreign, r.runs) }

func readRoutes(host *netlink.Handle) (hostRoutes, error) {
	r := hostRoutes{links: map[int]netlink.Link{}}
	links, err := consistent(host.LinkList)
	if err != nil {
		return r, fmt.Errorf("listing the links of the host: %w", err)
	}
	byIndex := map[int]netlink.Link{}
	for _, l := range links {
		byIndex[l.Attrs().Index] = l
	}
	// The table RT_TABLE_UNSPEC stands for all of them.
	routes, err := consistent(func() ([]netlink.Route, error) {
		return host.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return r, fmt.Errorf("listing the routes of the host: %w", err)
	}
	for _, route := range routes {
		r.add(route, byIndex)
	}
	return r, nil
}

// maxDumps is how often a list is asked for that changes meanwhile.
const maxDumps = 100

// consistent asks for a list until nothing changed while the kernel made it.
func consistent[T any](list func() ([]T, error)) (all []T, err error) {
	for range maxDumps {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}

func (r *hostRoutes) add(route netlink.Route, links map[int]netlink.Link) {
	ofRun := false
	if l := links[route.LinkIndex]; l != nil {
		ofRun = isUplink(l.Attrs().Name)
	}
	indexes := []int{route.LinkIndex}
	for _, hop := range route.MultiPath {
		indexes = append(indexes, hop.LinkIndex)
	}
	for _, i := range indexes {
		if l := links[i]; l != nil && !ofRun && l.Attrs().Flags&net.FlagLoopback == 0 {
			r.links[i] = l
		}
	}
	if route.Dst == nil {
		return
	}
	addr, ok := netip.AddrFromSlice(route.Dst.IP.To4())
	bits, _ := route.Dst.Mask.Size()
	switch p := netip.PrefixFrom(addr, bits); {
	case !ok || bits <= 1: // VPNs split the default route into two
	case ofRun:
		r.runs = append(r.runs, p)
	default:
		r.foreign = append(r.foreign, p)
	}
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// mtu returns the smallest MTU of the links to the outside where it is below
// Ethernet's, and 0 otherwise. Without it, large packets are lost where nothing
// tells the sender.
func (r hostRoutes) mtu() int {
	mtu := 0
	for _, l := range r.links {
		if m := l.Attrs().MTU; m < 1500 && m >= 1280 && (mtu == 0 || m < mtu) {
			mtu = m
		}
	}
	return mtu
}

// forwardOutside lets the host forward what comes in from the outside; replies
// to containers do. The caller holds the machine's lock.
func (m *Manager) forwardOutside(routes hostRoutes) error {
	for _, l := range routes.links {
		if err := enableForwarding(m.cfg.MachineDir, l.Attrs().Name); err != nil {
			return err
		}
	}
	return nil
}

// disableIPv6 keeps links that are made later in the calling thread's namespace
// without IPv6; the loopback keeps ::1. A kernel without IPv6 is fine.
func disableIPv6() error {
	err := sysctl("1", "ipv6/conf/default/disable_ipv6")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
