package notify

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/drydockhq/drydock"
)

// Reach says what may be told of something.
type Reach struct {
	Allow []netip.Prefix // networks of this machine itself that are open all the same
	Deny  []netip.Prefix // networks that nothing is sent to
	Self  drydock.Self   // the server
}

// Refusal says what the host of an HTTP URL is that nothing is sent to, as far as
// that is known before its name is looked up; "" for all others.
func (r *Reach) Refusal(u *url.URL) string {
	host := u.Hostname()
	if strings.IndexFunc(host, func(r rune) bool { return r >= 0x80 }) >= 0 {
		var err error // as net/http maps it, after this: １ and 。 are an address's too
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "no name of a host"
		}
	}
	if what := r.Self.ClosedHost(host); what != "" {
		return what
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		host = "127.0.0.1"
	}
	address, err := netip.ParseAddr(host)
	if err != nil && drydock.NumericHost(host) {
		return "a number, and no name or address" // which a proxy may read as one
	}
	if err != nil {
		return ""
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	n, _ := strconv.ParseUint(port, 10, 16) // what is none is refused when it is connected to
	return r.refusal(netip.AddrPortFrom(address, uint16(n)))
}

// inner are networks beside private ones that are not reached from everywhere:
// of providers, of protocols, of benchmarks.
var inner = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address is one that everybody may ask.
func public(from net.Addr) bool {
	if from == nil {
		return false
	}
	at, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return false
	}
	address := drydock.HostAddress(at.Addr())
	return address.IsGlobalUnicast() && !address.IsPrivate() &&
		!slices.ContainsFunc(inner, func(n netip.Prefix) bool { return n.Contains(address) })
}

// refusal is Refusal of an address.
func (r *Reach) refusal(to netip.AddrPort) string {
	address := drydock.HostAddress(to.Addr())
	within := func(networks []netip.Prefix) int {
		return slices.IndexFunc(networks, func(n netip.Prefix) bool { return n.Contains(address) })
	}
	if what := r.Self.Closed(to); what != "" {
		return what
	}
	if i := within(r.Deny); i >= 0 {
		return fmt.Sprintf("in %s, which webhooks.deny closes", r.Deny[i])
	}
	if address.IsLoopback() && within(r.Allow) < 0 {
		return "the server's machine, which the operator can open with the setting webhooks.allow"
	}
	return ""
}
