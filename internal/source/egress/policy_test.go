package egress_test

import (
	"net/netip"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source/egress"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	closed := egress.Policy{Self: drydock.Self{
		Listens: func(to netip.AddrPort) bool { return to == netip.MustParseAddrPort("10.0.0.5:443") },
	}}
	open := closed
	open.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("169.254.0.0/16")}
	for address, want := range map[string]struct{ closed, open bool }{
		"1.2.3.4:443":                 {true, true},
		"10.0.0.4:443":                {true, true},
		"10.0.0.5:80":                 {true, true},
		"10.0.0.5:443":                {}, // the server itself
		"[::ffff:10.0.0.5]:443":       {},
		"192.168.1.1:3000":            {true, true},
		"[2001:db8::1]:443":           {true, true},
		"[fd12:3456::1]:443":          {true, true},
		"127.0.0.1:3000":              {false, true},
		"127.0.0.2:3000":              {},
		"[::1]:3000":                  {false, true},
		"[::ffff:127.0.0.1]:80":       {false, true},
		"0.0.0.0:80":                  {},
		"0.1.2.3:80":                  {},
		"[::]:80":                     {},
		"[::127.0.0.2]:80":            {},
		"169.254.169.254:80":          {},
		"169.254.0.1:80":              {},
		"[::ffff:169.254.169.254]:80": {},
		"[64:ff9b::a9fe:a9fe]:80":     {}, // 169.254.169.254 through NAT64
		"[64:ff9b::102:304]:80":       {true, true},
		"[fe80::1]:80":                {},
		"[fe80::1%eth0]:80":           {},
		"[fd00:ec2::254]:80":          {},
		"[fd20:ce::254]:80":           {},
		"168.63.129.16:80":            {},
		"100.100.100.200:80":          {},
		"192.0.0.192:80":              {},
		"224.0.0.1:80":                {},
		"[ff02::1]:80":                {},
		"255.255.255.255:80":          {},
	} {
		to := netip.MustParseAddrPort(address)
		for p, want := range map[*egress.Policy]bool{&closed: want.closed, &open: want.open} {
			err := p.Check(to)
			if (err == nil) != want || err != nil && drydock.CodeOf(err) != drydock.Denied {
				t.Errorf("%s, allowing %v: %v", address, p.Allow, err)
			}
		}
	}
}
