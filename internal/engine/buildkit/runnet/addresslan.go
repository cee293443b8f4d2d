package runnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// Conn is a network connection.
type Conn = net.Conn

// hostAddress returns the address that the host has towards the outside.
func (m *Manager) hostAddress() (netip.Addr, error) {
	// Nothing is sent: the kernel only looks for the way.
	routes, err := m.host.RouteGet(net.IPv4(192, 0, 2, 1))
	if err == nil {
		for _, r := range routes {
			if addr, ok := netip.AddrFromSlice(r.Src.To4()); ok {
				return addr, nil
			}
		}
	}
	return netip.Addr{}, drydock.Errorf(drydock.Unavailable, "finding the address of this machine: there is no route to the outside").
		WithHint("give groups addresses of their own with --instances-addresses")
}

// answerFor lets the host answer for an address on the links whose networks hold
// it, as other machines ask there who has it. The caller holds the machine's
// lock.
func (m *Manager) answerFor(addr netip.Addr) (links []int, err error) {
	addrs, err := consistent(func() ([]netlink.Addr, error) { return m.host.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("listing the addresses of the host: %w", err)
	}
	for _, a := range addrs {
		if ones, _ := a.Mask.Size(); ones > 30 || !a.Contains(addr.AsSlice()) {
			continue
		}
		// Recorded first: a kill in between leaves too much to remove, never too little.
		if err := os.WriteFile(m.neighbourRecord(a.LinkIndex, addr), nil, 0o600); err != nil {
			return links, fmt.Errorf("recording that this machine answers for %s: %w", addr, err)
		}
		links = append(links, a.LinkIndex)
		if err := m.host.NeighAdd(proxyNeighbour(a.LinkIndex, addr)); err != nil && !errors.Is(err, unix.EEXIST) {
			return links, fmt.Errorf("answering for %s: %w", addr, err)
		}
	}
	return links, nil
}

// answerNoMore undoes answerFor.
func (m *Manager) answerNoMore(addr netip.Addr, links []int) error {
	var errs []error
	for _, link := range links {
		errs = append(errs, forgetNeighbour(m.host, link, addr), os.Remove(m.neighbourRecord(link, addr)))
	}
	return errors.Join(errs...)
}

func proxyNeighbour(link int, addr netip.Addr) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: link, Family: unix.AF_INET, Flags: netlink.NTF_PROXY, IP: addr.AsSlice()}
}

func forgetNeighbour(host *netlink.Handle, link int, addr netip.Addr) error {
	err := host.NeighDel(proxyNeighbour(link, addr))
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("answering for %s no more: %w", addr, err)
	}
	return nil
}

// neighbourRecord is a file beside the instance's lock that says for what the
// host answers on a link.
func (m *Manager) neighbourRecord(link int, addr netip.Addr) string {
	return filepath.Join(m.cfg.StateDir, fmt.Sprintf("%s.answers-%d-%s", m.owner.name(), link, addr))
}

// sweepNeighbours ends what a dead instance answered for.
func sweepNeighbours(host *netlink.Handle, dir, name string) error {
	files, err := readNames(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		what, ok := strings.CutPrefix(f, name+".answers-")
		if !ok {
			continue
		}
		index, text, _ := strings.Cut(what, "-")
		link, err := strconv.Atoi(index)
		addr, addrErr := netip.ParseAddr(text)
		if err == nil && addrErr == nil {
			if err := forgetNeighbour(host, link, addr); err != nil {
				return err
			}
		}
		if err := os.Remove(filepath.Join(dir, f)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("forgetting what %s answered for: %w", name, err)
		}
	}
	return nil
}
