package drydock

import (
	"net/netip"
	"strings"
)

// Self is a server, for those of its parts that connect to what others name: to
// itself they connect for nobody, since what comes from a server's own machine
// is trusted more than others are. The zero Self is no server.
type Self struct {
	// Listens reports whether an address, as HostAddress returns it, is the
	// server's listener; nil for none.
	Listens func(netip.AddrPort) bool
	// Named reports whether a host, in lower case and without a port and a final
	// dot, is one of the server's; nil for none.
	Named func(host string) bool
}

// itself is what a server is to itself.
const itself = "this server itself"

// Closed says of an address what it is that the server connects to it for
// nobody: one that is Unreachable, or its own. It is empty for all others. It is
// to be asked about the addresses that names have turned out to be, for each
// connection.
func (s Self) Closed(to netip.AddrPort) string {
	address := HostAddress(to.Addr())
	if what := Unreachable(address); what != "" {
		return what
	}
	if s.Listens != nil && s.Listens(netip.AddrPortFrom(address, to.Port())) {
		return itself
	}
	return ""
}

// ClosedHost says so of a host without a port, as far as that is known before
// its name is looked up: what addresses it has, Closed is to be asked about.
func (s Self) ClosedHost(host string) string {
	if s.Named != nil && s.Named(strings.ToLower(strings.TrimSuffix(host, "."))) {
		return itself
	}
	return ""
}
