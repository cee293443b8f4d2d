package runnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"github.com/vishvananda/netlink"

	"github.com/drydockhq/drydock"
)

// networksPerSubnet is how many /n+6 fit into a subnet; the last is kept free,
// it holds the address of the DNS server.
const networksPerSubnet = 64 - 1

// bridge is one network of a run.
type bridge struct {
	network  string
	link     string // in the run's namespace
	index    int    // of link
	prefix   netip.Prefix
	ipv6     netip.Prefix // not valid without IPv6
	isolated bool         // containers reach the outside, not each other
	spares   *pool[*slot]

	mu   sync.Mutex
	next int // where the search for an address begins
	used map[netip.Addr]bool
}

// newBridge describes the nth network of a run.
func newBridge(subnet netip.Prefix, n int, network drydock.Network, isolated bool) *bridge {
	b := &bridge{
		network:  network.Name,
		link:     "br" + strconv.Itoa(n),
		prefix:   nthSubnet(subnet, subnet.Bits()+6, n),
		isolated: isolated,
		next:     2,
		used:     map[netip.Addr]bool{},
	}
	if network.IPv6 {
		// A unique local prefix (RFC 4193); like the IPv4 addresses it is the
		// same in every run, since none leaves its namespace.
		b.ipv6 = netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 0xdd, 0x0c, 7: byte(n)}), 64)
	}
	return b
}

// gateway is the bridge's own address.
func (b *bridge) gateway() netip.Addr { return nthAddr(b.prefix, 1) }

// addr6 returns the IPv6 address that belongs to an IPv4 address of the network.
func (b *bridge) addr6(addr netip.Addr) netip.Addr {
	if !b.ipv6.IsValid() {
		return netip.Addr{}
	}
	a, v4 := b.ipv6.Addr().As16(), addr.As4()
	copy(a[12:], v4[:])
	return netip.AddrFrom16(a)
}

// create makes the bridge in the namespace of h, which the calling thread is in.
func (b *bridge) create(h *netlink.Handle, mtu int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Flags, attrs.HardwareAddr = b.link, net.FlagUp, hardwareAddr(b.gateway())
	if mtu != 0 {
		attrs.MTU = mtu
	}
	l := &netlink.Bridge{LinkAttrs: attrs}
	if err := h.LinkAdd(l); err != nil {
		return fmt.Errorf("creating a bridge: %w", err)
	}
	b.index = l.Index
	if err := addAddr(h, l, netip.PrefixFrom(b.gateway(), b.prefix.Bits())); err != nil {
		return err
	}
	if !b.ipv6.IsValid() {
		return nil
	}
	if err := sysctl("0", "ipv6/conf", b.link, "disable_ipv6"); err != nil {
		return err
	}
	return addAddr(h, l, netip.PrefixFrom(b.addr6(b.gateway()), b.ipv6.Bits()))
}

// take returns an address that no container has. Addresses go round, so that
// one that was given back rests as long as possible.
func (b *bridge) take() (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := 1<<(32-b.prefix.Bits()) - 2
	for range last {
		addr := nthAddr(b.prefix, b.next)
		if b.next++; b.next > last {
			b.next = 2
		}
		if !b.used[addr] {
			b.used[addr] = true
			return addr, nil
		}
	}
	return netip.Addr{}, drydock.Errorf(drydock.Unavailable, "network %q has no free address: all of %s is in use", b.network, b.prefix)
}

func (b *bridge) give(addr netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.used, addr)
}

// hardwareAddr derives a locally administered MAC from an address: who still
// remembers the last container with the address reaches the new one.
func hardwareAddr(addr netip.Addr) net.HardwareAddr {
	v4 := addr.As4()
	return append(net.HardwareAddr{0x02, 0xdd}, v4[:]...)
}

func addAddr(h *netlink.Handle, l netlink.Link, p netip.Prefix) error {
	a := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		a.Flags = ifaFlagNoDAD
	}
	if err := h.AddrAdd(l, a); err != nil {
		return fmt.Errorf("adding address %s to %s: %w", p, l.Attrs().Name, err)
	}
	return nil
}

// findNetwork returns the network of the given name, or the default one.
func findNetwork(bridges []*bridge, fallback *bridge, name string) (*bridge, error) {
	if name == "" {
		return fallback, nil
	}
	for _, b := range bridges {
		if b.network == name {
			return b, nil
		}
	}
	return nil, drydock.Errorf(drydock.Invalid, "no network is named %q", name).
		WithHint("declare it under `networks:` of the task, or use \"host\" or \"none\"")
}

// planNetworks describes the bridges of a run and says which is the default one.
func planNetworks(subnet netip.Prefix, networks []drydock.Network, isolated bool) (all []*bridge, fallback *bridge, err error) {
	if len(networks) == 0 {
		networks = []drydock.Network{{Name: drydock.DefaultNetwork}}
	}
	if len(networks) > networksPerSubnet {
		return nil, nil, drydock.Errorf(drydock.Invalid, "a task can have %d networks, not %d", networksPerSubnet, len(networks))
	}
	seen := map[string]bool{}
	for i, n := range networks {
		if seen[n.Name] {
			return nil, nil, drydock.Errorf(drydock.Invalid, "two networks are named %q", n.Name)
		}
		seen[n.Name] = true
		if err := checkDriver(n); err != nil {
			return nil, nil, err
		}
		all = append(all, newBridge(subnet, i, n, isolated))
	}
	return all, all[fallbackIndex(networks)], nil
}

func fallbackIndex(networks []drydock.Network) int {
	for i, n := range networks {
		if n.IsDefault {
			return i
		}
	}
	return 0
}

func checkDriver(n drydock.Network) error {
	switch n.Driver {
	case "", "bridge", "nat":
		return nil
	}
	return drydock.Errorf(drydock.Invalid, "network %q has driver %q", n.Name, n.Driver).
		WithHint("the drivers are bridge and nat, which mean the same here")
}

var errClosed = errors.New("the network of this run is closed")
