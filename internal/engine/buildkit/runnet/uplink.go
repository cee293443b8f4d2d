package runnet

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/drydockhq/drydock"
)

// connect joins the run to the host and gives its namespace a name.
func (r *Run) connect() error {
	uplink, err := r.addUplink()
	if err != nil {
		return err
	}
	l, err := r.h.LinkByName(uplinkName)
	if err != nil {
		return fmt.Errorf("finding the uplink: %w", err)
	}
	if err := addAddr(r.h, l, netip.PrefixFrom(nthAddr(uplink, 2), 30)); err != nil {
		return err
	}
	if err := r.h.LinkSetUp(l); err != nil {
		return fmt.Errorf("setting up the uplink: %w", err)
	}
	out := &netlink.Route{LinkIndex: l.Attrs().Index, Gw: nthAddr(uplink, 1).AsSlice()}
	if err := r.h.RouteAdd(out); err != nil {
		return fmt.Errorf("adding the route to the host: %w", err)
	}
	if err := waitUp(r.h, l.Attrs().Index); err != nil {
		return err
	}
	if err := waitUp(r.m.host, r.link.Attrs().Index); err != nil {
		return err
	}
	if err := r.ns.pin(r.name); err != nil {
		return err
	}
	r.named = true
	return nil
}

// addUplink makes the veth pair between the host and the run, and lets the host
// forward between it and the outside. It returns the addresses of the pair: the
// first is the host's.
func (r *Run) addUplink() (netip.Prefix, error) {
	unlock, err := lockMachine(r.m.cfg.MachineDir)
	if err != nil {
		return netip.Prefix{}, err
	}
	defer unlock()
	routes, err := readRoutes(r.m.host)
	if err != nil {
		return netip.Prefix{}, err
	}
	uplink, err := freeUplink(r.m.cfg.Uplinks, routes.used())
	if err != nil {
		return netip.Prefix{}, err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = fmt.Sprintf("%s%x", r.m.owner.links(), r.m.links.Add(1)&0xffffff)
	attrs.Flags, attrs.MTU = net.FlagUp, r.m.mtu
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: uplinkName, PeerNamespace: netlink.NsFd(r.ns.fd())}
	if err := r.m.host.LinkAdd(veth); err != nil {
		return netip.Prefix{}, fmt.Errorf("creating a veth pair: %w", err)
	}
	r.link = veth
	if err := addAddr(r.m.host, veth, netip.PrefixFrom(nthAddr(uplink, 1), 30)); err != nil {
		return netip.Prefix{}, err
	}
	if err := sysctl("1", "ipv4/conf", attrs.Name, "rp_filter"); err != nil {
		return netip.Prefix{}, err
	}
	if err := sysctl("1", "ipv4/conf", attrs.Name, "forwarding"); err != nil {
		return netip.Prefix{}, err
	}
	return uplink, r.m.forwardOutside(routes)
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
