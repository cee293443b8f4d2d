package egress

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/drydockhq/drydock"
)

// Policy says what may be connected to.
type Policy struct {
	// Allow are networks of this machine itself that are open all the same.
	Allow []netip.Prefix
	// Own reports whether an address is the server's own listener, and OwnHost
	// whether a host, without its port, is one of the server's; nil for none.
	Own     func(netip.AddrPort) bool
	OwnHost func(host string) bool
}

// refused are networks that nobody can open.
var refused = []struct {
	networks []netip.Prefix
	what     string
}{
	{prefixes("169.254.0.0/16", "fe80::/10"), "a link-local address, as that of a cloud's metadata"},
	// AWS, Google Cloud; Azure; Alibaba Cloud; Oracle Cloud.
	{prefixes("fd00:ec2::/32", "fd20:ce::/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"), "a cloud's metadata"},
	{prefixes("0.0.0.0/8", "::/128", "224.0.0.0/4", "ff00::/8", "255.255.255.255/32"), "no address of a host"},
}

// translated are the networks in whose last 32 bits is an IPv4 address.
var translated = prefixes("64:ff9b::/96", "::/96")

// prefixes parses networks that are written here.
func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Check returns an error with code Denied unless an address may be connected to.
func (p *Policy) Check(to netip.AddrPort) error {
	addr := to.Addr().Unmap().WithZone("")
	deny := func(what string) error {
		return drydock.Errorf(drydock.Denied, "runs may not reach %s: it is %s", addr, what)
	}
	within := func(n netip.Prefix) bool { return n.Contains(addr) }
	for _, r := range refused {
		if slices.ContainsFunc(r.networks, within) {
			return deny(r.what)
		}
	}
	if p.Own != nil && p.Own(netip.AddrPortFrom(addr, to.Port())) {
		return deny("this server itself")
	}
	if addr.IsLoopback() {
		if !slices.ContainsFunc(p.Allow, within) {
			return drydock.Errorf(drydock.Denied, "runs may not reach %s: it is the server's machine", addr).
				WithHint("the operator can open it with the setting sources.allow")
		}
		return nil
	}
	if slices.ContainsFunc(translated, within) {
		bytes := addr.As16()
		return p.Check(netip.AddrPortFrom(netip.AddrFrom4([4]byte(bytes[12:])), to.Port()))
	}
	return nil
}

// checkHost is what can be known of a host before its address is.
func (p *Policy) checkHost(host string) error {
	if p.OwnHost != nil && p.OwnHost(strings.TrimSuffix(strings.ToLower(host), ".")) {
		return drydock.Errorf(drydock.Denied, "runs may not reach %s: it is this server itself", host)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.Check(netip.AddrPortFrom(addr, 0))
	}
	return nil
}

// control is what a net.Dialer calls before it connects.
func (p *Policy) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return drydock.Errorf(drydock.Denied, "runs may not reach %s: it is no address", address)
	}
	return p.Check(to)
}
