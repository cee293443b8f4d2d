package runnet

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// slot is a namespace that is on a network already.
type slot struct {
	ns     *namespace
	bridge *bridge // nil on "none"
	addr   netip.Addr
}

// free lets go of the namespace. The kernel deletes it, and the veth pair with
// it, once no process is left in it.
func (s *slot) free() error {
	if s.bridge != nil {
		s.bridge.give(s.addr)
	}
	return s.ns.Close()
}

// newSlot makes a namespace on a network of the run.
func (r *Run) newSlot(b *bridge) (_ *slot, err error) {
	s := &slot{bridge: b}
	if s.addr, err = b.take(); err != nil {
		return nil, err
	}
	s.ns, err = newNamespace(func(_ *namespace, h *netlink.Handle) error {
		return r.setupSlot(h, s)
	})
	if err != nil {
		b.give(s.addr)
		return nil, err
	}
	return s, nil
}

// setupSlot fills a container's namespace, which the calling thread is in.
func (r *Run) setupSlot(h *netlink.Handle, s *slot) error {
	port := fmt.Sprintf("v%d", r.veths.Add(1))
	if !s.bridge.ipv6.IsValid() {
		if err := disableIPv6(); err != nil {
			return err
		}
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr, attrs.Flags, attrs.MTU = "eth0", hardwareAddr(s.addr), net.FlagUp, r.m.mtu
	eth := &netlink.Veth{LinkAttrs: attrs, PeerName: port, PeerNamespace: netlink.NsFd(r.ns.fd())}
	if err := h.LinkAdd(eth); err != nil {
		return fmt.Errorf("creating a veth pair: %w", err)
	}
	if err := addAddr(h, eth, netip.PrefixFrom(s.addr, s.bridge.prefix.Bits())); err != nil {
		return err
	}
	if addr6 := s.bridge.addr6(s.addr); addr6.IsValid() {
		if err := addAddr(h, eth, netip.PrefixFrom(addr6, s.bridge.ipv6.Bits())); err != nil {
			return err
		}
	}
	if err := h.RouteAdd(&netlink.Route{LinkIndex: eth.Index, Gw: s.bridge.gateway().AsSlice()}); err != nil {
		return fmt.Errorf("adding the default route of a container: %w", err)
	}
	if err := r.joinBridge(s.bridge, port); err != nil {
		return err
	}
	return waitUp(h, eth.Index)
}

// joinBridge makes the run's end of a container's veth pair a port of a bridge.
func (r *Run) joinBridge(b *bridge, port string) error {
	l, err := r.h.LinkByName(port)
	if err != nil {
		return fmt.Errorf("finding a container's veth: %w", err)
	}
	if err := r.h.LinkSetUp(l); err != nil {
		return fmt.Errorf("setting up a container's veth: %w", err)
	}
	// A port that is up when it joins forwards at once.
	if err := waitUp(r.h, l.Attrs().Index); err != nil {
		return err
	}
	if err := r.h.LinkSetMasterByIndex(l, b.index); err != nil {
		return fmt.Errorf("joining a container's veth to its bridge: %w", err)
	}
	if b.isolated {
		if err := r.h.LinkSetIsolated(l, true); err != nil {
			return fmt.Errorf("isolating a container on its bridge: %w", err)
		}
	}
	// With its first port, the bridge comes up.
	return waitUp(r.h, b.index)
}
