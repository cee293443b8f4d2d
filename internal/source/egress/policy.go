package egress

import (
	"cmp"
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
	Self  drydock.Self // the server
	// Who is not let through, in the text of errors; "" for runs.
	Who string
}

// who is Who.
func (p *Policy) who() string { return cmp.Or(p.Who, "runs") }

// Check returns an error with code Denied unless an address may be connected to.
func (p *Policy) Check(to netip.AddrPort) error {
	addr := drydock.HostAddress(to.Addr())
	if what := p.Self.Closed(to); what != "" {
		return drydock.Errorf(drydock.Denied, "%s may not reach %s: it is %s", p.who(), addr, what)
	}
	if !addr.IsLoopback() || slices.ContainsFunc(p.Allow, func(n netip.Prefix) bool { return n.Contains(addr) }) {
		return nil
	}
	refused := drydock.Errorf(drydock.Denied, "%s may not reach %s: it is the server's machine", p.who(), addr)
	if p.Who != "" {
		return refused
	}
	return refused.WithHint("the operator can open it with the setting sources.allow")
}

// checkHost is what can be known of a host, in ASCII, before its address is.
func (p *Policy) checkHost(host string) error {
	if what := p.Self.ClosedHost(host); what != "" {
		return drydock.Errorf(drydock.Denied, "%s may not reach %s: it is %s", p.who(), host, what)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.Check(netip.AddrPortFrom(addr, 0))
	}
	// The resolver of a proxy may read it as an address, such as one that is closed.
	if drydock.NumericHost(strings.ToLower(host)) {
		return drydock.Errorf(drydock.Denied, "%s may not reach %s: it is a number, and no name or address", p.who(), host)
	}
	return nil
}

// control is what a net.Dialer calls before it connects.
func (p *Policy) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return drydock.Errorf(drydock.Denied, "%s may not reach %s: it is no address", p.who(), address)
	}
	return p.Check(to)
}
