package drydock

import (
	"net/netip"
	"slices"
	"strings"
)

// unreachable are networks that a server connects to for nobody.
var unreachable = []struct {
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

// Unreachable says of an address what it is that a server connects to it for
// nobody, whatever its settings say: clouds hand out credentials at some of them.
// It is empty for all others, also for private and loopback ones.
func Unreachable(address netip.Addr) string {
	address = HostAddress(address)
	for _, u := range unreachable {
		if slices.ContainsFunc(u.networks, func(n netip.Prefix) bool { return n.Contains(address) }) {
			return u.what
		}
	}
	return ""
}

// HostAddress returns what an address stands for: it is without a zone, and one
// of IPv6 that has one of IPv4 in its last 32 bits, as NAT64 reads it, is that.
func HostAddress(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	if address.IsLoopback() || address.IsUnspecified() {
		return address
	}
	for _, network := range translated {
		if network.Contains(address) {
			bytes := address.As16()
			return netip.AddrFrom4([4]byte(bytes[12:]))
		}
	}
	return address
}

// NumericHost reports whether a host that is no address ends in a number, as
// 127.1, 2130706433 and 0x7f000001: it is the name of nothing, and some resolvers
// read it as an address of IPv4. The host is in lower case.
func NumericHost(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
