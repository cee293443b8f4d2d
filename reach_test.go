package drydock_test

import (
	"net/netip"
	"testing"

	"github.com/drydockhq/drydock"
)

func TestUnreachable(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"1.2.3.4": false, "10.0.0.5": false, "127.0.0.1": false, "192.168.1.1": false, "::1": false, "2001:db8::1": false,
		"fd12:3456::1": false, "64:ff9b::102:304": false, "::ffff:10.0.0.5": false,
		"169.254.169.254": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true, "fe80::1%eth0": true,
		"fd00:ec2::254": true, "fd20:ce::254": true, "168.63.129.16": true, "100.100.100.200": true, "192.0.0.192": true,
		"0.0.0.0": true, "0.1.2.3": true, "::": true, "::169.254.0.1": true, "224.0.0.1": true, "ff02::1": true, "255.255.255.255": true,
	} {
		if got := drydock.Unreachable(netip.MustParseAddr(address)); (got != "") != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}

func TestNumericHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"2130706433": true, "0x7f000001": true, "0x7f.1": true, "127.1": true, "0177.0.0.1": true, "127.0.0.1": true, "example.1": true, "127.1.": true, "0x": true,
		"": false, ".": false, "example.com": false, "1.example": false, "1password": false, "example.x7": false, "0xyz": false, "0x1.example": false, "::1": false,
	} {
		if got := drydock.NumericHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
