package runnet

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

func TestUnavailableSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("creating a network namespace: %w", unix.EPERM), "as root"},
		{fmt.Errorf("creating a network namespace: %w", unix.ENOSPC), "user.max_net_namespaces"},
		{fmt.Errorf("creating a network namespace: %w", unix.EINVAL), "CONFIG_NET_NS"},
		{fmt.Errorf("writing nftables table x: %w", unix.EAFNOSUPPORT), "nf_tables"},
		{fmt.Errorf("creating a bridge: %w", unix.EOPNOTSUPP), "module bridge"},
		{fmt.Errorf("creating a veth pair: %w", unix.EOPNOTSUPP), "module veth"},
		{fmt.Errorf("setting /proc/sys/x to 1: %w", unix.EROFS), "/proc/sys"},
	} {
		err := unavailable(c.err)
		var de *drydock.Error
		if !errors.As(err, &de) || de.Code != drydock.Unavailable || !strings.Contains(de.Hint, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%v became %v, want a hint with %q", c.err, err, c.want)
		}
	}
	invalid := drydock.Errorf(drydock.Invalid, "bad prefix")
	if got := unavailable(invalid); got != error(invalid) {
		t.Errorf("%v became %v", invalid, got)
	}
}

func TestRangesAvoidRoutes(t *testing.T) {
	t.Parallel()
	p := netip.MustParsePrefix
	for _, c := range []struct {
		cfg  Config
		used []netip.Prefix
		want string // subnet and uplinks, or the error
	}{
		{Config{}, nil, "198.18.0.0/16 198.19.0.0/16"},
		{Config{}, []netip.Prefix{p("198.19.3.0/24")}, "10.213.0.0/16 10.214.0.0/16"},
		{Config{}, []netip.Prefix{p("198.18.0.0/15"), p("10.0.0.0/8")}, "172.30.0.0/16 172.31.0.0/16"},
		{Config{}, []netip.Prefix{p("128.0.0.0/1"), p("0.0.0.0/1")}, "use every range"},
		{Config{Subnet: p("10.1.2.3/16")}, []netip.Prefix{p("10.1.0.0/16")}, "use every range"},
		{Config{Subnet: p("10.1.2.3/16")}, nil, "10.1.0.0/16 198.19.0.0/16"},
		{Config{Subnet: p("10.1.0.0/16"), Uplinks: p("10.1.0.0/24")}, nil, "overlap"},
		{Config{Subnet: p("10.1.0.0/24")}, nil, "/16 to /20"},
		{Config{Uplinks: p("fd00::/16")}, nil, "/12 to /28"},
		{Config{Prefix: "a-b"}, nil, "letters and digits"},
	} {
		cfg, err := c.cfg.withDefaults(c.used)
		got := cfg.Subnet.String() + " " + cfg.Uplinks.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%+v with routes %v: got %s, want %s", c.cfg, c.used, got, c.want)
		}
	}
}

func TestUplinksAvoidRoutes(t *testing.T) {
	t.Parallel()
	pool := netip.MustParsePrefix("10.9.0.0/24")
	var used []netip.Prefix
	for range 64 {
		p, err := freeUplink(pool, used)
		if err != nil || !pool.Overlaps(p) || overlapsAny(p, used) {
			t.Fatalf("after %d uplinks, the next is %s, %v", len(used), p, err)
		}
		used = append(used, p)
	}
	if p, err := freeUplink(pool, used); drydock.CodeOf(err) != drydock.Unavailable {
		t.Errorf("from a full pool came %s, %v", p, err)
	}
}

func TestAddressesRest(t *testing.T) {
	t.Parallel()
	b := newBridge(netip.MustParsePrefix("10.9.0.0/20"), 1, drydock.Network{Name: "n", IPv6: true}, false)
	var all []netip.Addr
	for {
		addr, err := b.take()
		if err != nil {
			break
		}
		if !b.prefix.Contains(addr) || addr == b.gateway() || slices.Contains(all, addr) || !b.ipv6.Contains(b.addr6(addr)) {
			t.Fatalf("after %v came %s", all, addr)
		}
		all = append(all, addr)
	}
	if len(all) != 61 {
		t.Errorf("a /26 has %d addresses, want 61", len(all))
	}
	b.give(all[7])
	b.give(all[3])
	if addr, err := b.take(); addr != all[3] || err != nil {
		t.Errorf("the next address is %s, %v; want %s", addr, err, all[3])
	}
}

func TestOwnNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"dd0a1b2c-1": true, "dd0a1b2c-": false, "ddxyzxyz-1": false, "dd0a1b2c1": false, "docker0": false} {
		if got := isUplink(name); got != want {
			t.Errorf("isUplink(%q) is %v", name, got)
		}
	}
	for name, want := range map[string]bool{"p-0a1b2c": true, "p-0a1b2c3d": false, "q-0a1b2c": false, "p-xyzxyz": false, "p-": false} {
		if got := isInstance(name, "p"); got != want {
			t.Errorf("isInstance(%q) is %v", name, got)
		}
	}
}
