package drydock_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

func TestSelf(t *testing.T) {
	t.Parallel()
	self := drydock.Self{
		Listens: func(to netip.AddrPort) bool { return to == netip.MustParseAddrPort("10.0.0.5:443") },
		Named:   func(host string) bool { return strings.HasSuffix(host, ".drydock.test") },
	}
	for address, want := range map[string]string{
		"10.0.0.5:443": "this server itself", "[::ffff:10.0.0.5]:443": "this server itself", "[64:ff9b::a00:5]:443": "this server itself",
		"10.0.0.5:80": "", "10.0.0.4:443": "", "127.0.0.1:443": "", "169.254.169.254:80": "a link-local address, as that of a cloud's metadata",
	} {
		to := netip.MustParseAddrPort(address)
		if got := self.Closed(to); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
		if got := (drydock.Self{}).Closed(to); (got != "") != (to.Port() == 80 && want != "") {
			t.Errorf("to no server, %s is %q", address, got)
		}
	}
	for host, want := range map[string]bool{"management.drydock.test": true, "Management.Drydock.TEST.": true, "drydock.test.example": false, "": false} {
		if got := self.ClosedHost(host); (got != "") != want {
			t.Errorf("%q: %q", host, got)
		}
		if got := (drydock.Self{}).ClosedHost(host); got != "" {
			t.Errorf("to no server, %q is %q", host, got)
		}
	}
}
