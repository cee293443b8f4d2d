package runnet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// hostRoutes are the IPv4 destinations of the host's routes in all tables but
// the default ones, and the links that they go out by.
type hostRoutes struct {
	used  []netip.Prefix
	links map[int]bool // by index
}

func readRoutes(host *netlink.Handle) (hostRoutes, error) {
	r := hostRoutes{links: map[int]bool{}}
	// The table RT_TABLE_UNSPEC stands for all of them.
	routes, err := host.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return r, fmt.Errorf("listing the routes of the host: %w", err)
	}
	for _, route := range routes {
		if route.Type == unix.RTN_UNICAST {
			r.addLinks(route)
		}
		if route.Dst == nil {
			continue
		}
		addr, ok := netip.AddrFromSlice(route.Dst.IP.To4())
		if bits, _ := route.Dst.Mask.Size(); ok && bits > 1 { // VPNs split the default route into two
			r.used = append(r.used, netip.PrefixFrom(addr, bits))
		}
	}
	return r, nil
}

func (r *hostRoutes) addLinks(route netlink.Route) {
	if route.LinkIndex > 0 {
		r.links[route.LinkIndex] = true
	}
	for _, hop := range route.MultiPath {
		r.links[hop.LinkIndex] = true
	}
}

// outwardLinks returns the links of the host by which the outside is reached.
func outwardLinks(host *netlink.Handle, routes hostRoutes) ([]netlink.Link, error) {
	var links []netlink.Link
	for index := range routes.links {
		l, err := host.LinkByIndex(index)
		if err != nil {
			continue // it went away since
		}
		a := l.Attrs()
		if a.Flags&net.FlagLoopback == 0 && !strings.HasPrefix(a.Name, "dd") {
			links = append(links, l)
		}
	}
	return links, nil
}

// freeUplink picks a /30 of pool that no route uses.
func freeUplink(pool netip.Prefix, used []netip.Prefix) (netip.Prefix, error) {
	n := 1 << (30 - pool.Bits())
	first := rand.IntN(n)
	for i := range n {
		p := nthSubnet(pool, 30, (first+i)%n)
		if !overlapsAny(p, used) {
			return p, nil
		}
	}
	return netip.Prefix{}, drydock.Errorf(drydock.Unavailable, "choosing the uplink of a run: all of %s is in use", pool).
		WithHint("close other runs, or name a larger range for uplinks")
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// outsideMTU returns the smallest MTU of the links to the outside where it is
// below Ethernet's, and 0 otherwise. Without it, large packets are lost where
// nothing tells the sender.
func outsideMTU(host *netlink.Handle, routes hostRoutes) (int, error) {
	links, err := outwardLinks(host, routes)
	if err != nil {
		return 0, err
	}
	mtu := 0
	for _, l := range links {
		if a := l.Attrs(); a.MTU < 1500 && (mtu == 0 || a.MTU < mtu) && a.MTU >= 1280 {
			mtu = a.MTU
		}
	}
	return mtu, nil
}

// forwardOutside lets the host forward what comes in from the outside; replies
// to containers do. The caller holds the machine's lock.
func (m *Manager) forwardOutside(routes hostRoutes) error {
	links, err := outwardLinks(m.host, routes)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := enableForwarding(m.cfg.StateDir, l.Attrs().Name); err != nil {
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
