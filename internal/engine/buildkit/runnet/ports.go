package runnet

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
)

// maxPorts bounds what one container may publish.
const maxPorts = 1000

// portSpec is one container port to publish on one of a range of host ports.
type portSpec struct {
	addr      netip.Addr // not valid: all addresses
	low, high uint16     // of the host, inclusive; 0 for any free one
	container uint16
	proto     string // tcp or udp
}

// parsePorts reads `docker run -p` values: [[ADDRESS:][HOST]:]CONTAINER[/PROTO],
// where HOST and CONTAINER may be ranges LOW-HIGH of one size, or HOST a range to
// choose one port from. An IPv6 address is in brackets.
func parsePorts(values []string) ([]portSpec, error) {
	var specs []portSpec
	for _, v := range values {
		s, problem := parsePort(v)
		if problem != "" {
			return nil, drydock.Errorf(drydock.Invalid, "port %q: %s", v, problem).
				WithHint("write CONTAINER, HOST:CONTAINER or ADDRESS:HOST:CONTAINER, and /udp after it for UDP")
		}
		if specs = append(specs, s...); len(specs) > maxPorts {
			return nil, drydock.Errorf(drydock.Invalid, "a step publishes more than %d ports", maxPorts)
		}
	}
	return specs, nil
}

// parsePort reads one value; problem says what is wrong with it.
func parsePort(v string) (specs []portSpec, problem string) {
	rest, proto, ok := strings.Cut(v, "/")
	if proto = strings.ToLower(proto); !ok {
		proto = "tcp"
	}
	if proto != "tcp" && proto != "udp" {
		return nil, "protocol " + strconv.Quote(proto) + " is not tcp or udp"
	}
	address, hostPorts, containerPorts := splitPort(rest)
	base := portSpec{proto: proto}
	if address != "" {
		var err error
		if base.addr, err = netip.ParseAddr(address); err != nil || base.addr.Zone() != "" {
			return nil, strconv.Quote(address) + " is not an IP address"
		}
	}
	clow, chigh, ok := portRange(containerPorts)
	if !ok {
		return nil, strconv.Quote(containerPorts) + " is not a port"
	}
	if hostPorts == "" {
		return expand(base, 0, 0, clow, chigh), ""
	}
	hlow, hhigh, ok := portRange(hostPorts)
	switch {
	case !ok:
		return nil, strconv.Quote(hostPorts) + " is not a port"
	case clow == chigh:
		base.low, base.high, base.container = hlow, hhigh, clow
		return []portSpec{base}, ""
	case hhigh-hlow != chigh-clow:
		return nil, "the two ranges differ in size"
	}
	return expand(base, hlow, 1, clow, chigh), ""
}

// splitPort splits at the last two colons.
func splitPort(s string) (address, host, container string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", s
	}
	rest, container := s[:i], s[i+1:]
	if i = strings.LastIndexByte(rest, ':'); i < 0 {
		return "", rest, container
	}
	address, host = rest[:i], rest[i+1:]
	if inner, ok := strings.CutPrefix(address, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			address = inner
		}
	}
	return address, host, container
}

// expand returns a spec for each port from low to high, on the host from host in
// the given steps.
func expand(base portSpec, host, step, low, high uint16) []portSpec {
	specs := make([]portSpec, 0, int(high-low)+1)
	for i := range int(high-low) + 1 {
		s := base
		s.container = low + uint16(i)
		s.low = host + step*uint16(i)
		s.high = s.low
		specs = append(specs, s)
	}
	return specs
}

// portRange reads LOW or LOW-HIGH, both from 1 to 65535.
func portRange(s string) (low, high uint16, ok bool) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	l, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return 0, 0, false
	}
	h, err := strconv.ParseUint(last, 10, 16)
	if err != nil {
		return 0, 0, false
	}
	return uint16(l), uint16(h), 0 < l && l <= h
}
