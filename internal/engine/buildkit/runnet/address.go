package runnet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// maxAddressConns bounds the connections and UDP flows through an address.
const maxAddressConns = 8192

// AddressKind is where an address comes from.
type AddressKind int

const (
	// NoAddress is for networks that nothing outside can reach.
	NoAddress AddressKind = iota
	// OwnAddress is one of Config.Addresses that nothing else has: all of its
	// ports are free.
	OwnAddress
	// HostAddress is the machine's own address towards the outside, whose ports
	// are shared with the programs of the machine.
	HostAddress
)

// AddressOptions are the options of OpenAddress.
type AddressOptions struct {
	Kind AddressKind
	Want netip.Addr // an own address that is taken if it is free; may be invalid
	// Hosts answer in the network, and nowhere else; nil for none.
	Hosts *drydock.RunHosts
}

// Address is a network for containers that come and go behind an address that
// stays. Its methods may be called from several goroutines.
type Address struct {
	*Run
	kind  AddressKind
	hosts *drydock.RunHosts
	addr  netip.Addr // not valid without one
	conns chan struct{}
	told  []int // indexes of the links on which this machine answers for addr

	serving sync.Mutex
	proxies map[Port]*proxy
}

// Port is a port of an address.
type Port struct {
	Proto  string // tcp or udp
	Number uint16
}

// OpenAddress makes a network as OpenRun does, with an address. The caller
// closes it.
func (m *Manager) OpenAddress(ctx context.Context, id string, opt AddressOptions) (*Address, error) {
	if !runIDPattern.MatchString(id) {
		return nil, drydock.Errorf(drydock.Invalid, "network id %q is not 1 to 100 letters, digits, \"-\" and \"_\"", id)
	}
	a := &Address{kind: opt.Kind, hosts: opt.Hosts, conns: make(chan struct{}, maxAddressConns), proxies: map[Port]*proxy{}}
	var err error
	switch opt.Kind {
	case NoAddress:
		err = a.open(ctx, m, id)
	case HostAddress:
		if a.addr, err = m.hostAddress(); err == nil {
			err = a.open(ctx, m, id)
		}
	default:
		err = a.openOwn(ctx, m, id, opt.Want)
	}
	if err != nil {
		return nil, fmt.Errorf("making the network of %s: %w", id, err)
	}
	return a, nil
}

// Addr returns the address; it is not valid for NoAddress.
func (a *Address) Addr() netip.Addr { return a.addr }

func (a *Address) open(ctx context.Context, m *Manager, id string) error {
	a.Run = &Run{m: m, name: m.owner.name() + "-" + id}
	if a.kind == OwnAddress {
		a.Run.public = a.addr
	}
	if a.hosts != nil {
		a.Run.hosts = newHostServer(a.hosts)
	}
	return m.open(ctx, a.Run, nil)
}

// openOwn chooses an address until one is found that nobody else took meanwhile.
func (a *Address) openOwn(ctx context.Context, m *Manager, id string, want netip.Addr) error {
	const attempts = 5
	var err error
	for range attempts {
		if a.addr, err = m.chooseAddress(want); err != nil {
			return err
		}
		if err = a.open(ctx, m, id); err != nil {
			return err
		}
		if err = a.announce(); err == nil {
			return nil
		}
		err = errors.Join(err, a.Close())
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
		want = netip.Addr{}
	}
	return err
}

// announce lets the machine route packets for the address here.
func (a *Address) announce() error {
	m := a.Run.m
	unlock, err := lockMachine(m.cfg.MachineDir)
	if err != nil {
		return err
	}
	defer unlock()
	gateway, err := a.uplinkAddr()
	if err != nil {
		return err
	}
	route := &netlink.Route{LinkIndex: a.Run.link.Attrs().Index, Dst: ipNet(netip.PrefixFrom(a.addr, 32)), Gw: gateway.AsSlice()}
	if err := m.host.RouteAdd(route); err != nil {
		return fmt.Errorf("adding a route to %s: %w", a.addr, err)
	}
	if err := setPublic(m.owner.name(), a.addr, true); err != nil {
		return err
	}
	a.told, err = m.answerFor(a.addr)
	return err
}

// uplinkAddr is the network's own end of its uplink.
func (a *Address) uplinkAddr() (netip.Addr, error) {
	l, err := a.Run.h.LinkByName(uplinkName)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("finding the uplink: %w", err)
	}
	addrs, err := a.Run.h.AddrList(l, netlink.FAMILY_V4)
	if err != nil || len(addrs) == 0 {
		return netip.Addr{}, fmt.Errorf("finding the address of the uplink: %w", err)
	}
	addr, _ := netip.AddrFromSlice(addrs[0].IP.To4())
	return addr, nil
}

// Close takes the address away, closes all connections and the network. It may
// be called again.
func (a *Address) Close() error {
	a.serving.Lock()
	defer a.serving.Unlock()
	errs := []error{a.retain(nil)}
	if a.kind == OwnAddress && a.Run.link != nil {
		errs = append(errs, setPublic(a.Run.m.owner.name(), a.addr, false), a.Run.m.answerNoMore(a.addr, a.told))
		a.told = nil
	}
	return errors.Join(append(errs, a.Run.Close())...)
}

// chooseAddress returns an address that no route of the host uses: want, if it
// is one.
func (m *Manager) chooseAddress(want netip.Addr) (netip.Addr, error) {
	routes, err := readRoutes(m.host)
	if err != nil {
		return netip.Addr{}, err
	}
	pool, free := m.cfg.Addresses, routes.freeIn
	if len(pool) == 0 {
		pool, free = []netip.Prefix{m.cfg.Uplinks}, routes.unused
	}
	if want.IsValid() && slices.ContainsFunc(pool, func(p netip.Prefix) bool { return p.Contains(want) }) && free(want) {
		return want, nil
	}
	for _, p := range pool {
		n := 1 << (32 - p.Bits())
		first := rand.IntN(n)
		for i := range n {
			if addr := nthAddr(p.Masked(), (first+i)%n); usable(p, addr) && free(addr) {
				return addr, nil
			}
		}
	}
	return netip.Addr{}, drydock.Errorf(drydock.Unavailable, "choosing a public address: all of %s are in use", pool).
		WithHint("delete a container group, or give the server more of them with --instances-addresses")
}

// usable leaves out the first and the last address of a network, which are not a
// host's.
func usable(p netip.Prefix, addr netip.Addr) bool {
	if p.Bits() >= 31 {
		return true
	}
	return addr != p.Masked().Addr() && addr != nthAddr(p.Masked(), 1<<(32-p.Bits())-1)
}

// unused reports whether no route leads to an address.
func (r hostRoutes) unused(addr netip.Addr) bool {
	return !overlapsAny(netip.PrefixFrom(addr, 32), r.used())
}

// freeIn is unused for an address that may be in a network of the host's.
func (r hostRoutes) freeIn(addr netip.Addr) bool {
	return !slices.Contains(r.used(), netip.PrefixFrom(addr, 32)) && !overlapsAny(netip.PrefixFrom(addr, 32), r.runs)
}
