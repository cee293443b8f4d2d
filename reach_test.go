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
