package runnet

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/drydockhq/drydock"
)

// probe makes all that a run needs in a namespace of its own, which vanishes,
// to learn what this machine lacks before a run does.
func probe(subnet netip.Prefix) error {
	ns, err := newNamespace(func(_ *namespace, h *netlink.Handle) error {
		b := newBridge(subnet, 0, drydock.Network{}, false)
		if err := disableIPv6(); err != nil {
			return err
		}
		if err := b.create(h, 0); err != nil {
			return err
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "probe0"
		if err := h.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "probe1"}); err != nil {
			return fmt.Errorf("creating a veth pair: %w", err)
		}
		return runTable(subnet, []string{b.link}, netip.Addr{}).commit()
	})
	if err != nil {
		return err
	}
	return ns.Close()
}
