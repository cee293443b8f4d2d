package runnet_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

func TestContainersReachEachOtherByName(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "names")
	web := attach(t, r, runnet.Endpoint{Name: "Web", Aliases: []string{"www"}})
	client := attach(t, r, runnet.Endpoint{Name: "client"})
	serve(t, web.NetNSPath, ":80", "hello")
	serve(t, client.NetNSPath, ":80", "the same port")

	wantText(t, client.NetNSPath, netip.AddrPortFrom(web.IP, 80).String(), "hello")
	wantText(t, client.NetNSPath, "127.0.0.1:80", "the same port")
	wantText(t, client.NetNSPath, "[::1]:80", "the same port")
	for _, name := range []string{"web", "WEB", "www", "web.acb_default_network"} {
		if got := resolve(t, m, client.NetNSPath, name); !slices.Equal(got, []netip.Addr{web.IP}) {
			t.Errorf("%s is %v, want %v", name, got, web.IP)
		}
	}
	if got := resolve(t, m, r.HostPath(), "web"); !slices.Equal(got, []netip.Addr{web.IP}) {
		t.Errorf("on the run's own network web is %v, want %v", got, web.IP)
	}
	if resp := query(t, m, client.NetNSPath, "tcp", "web", dns.TypeAAAA); resp.Rcode != dns.RcodeSuccess || len(resp.Answer) != 0 {
		t.Errorf("AAAA of web is %v, want an empty answer", resp)
	}
	if err := web.Close(); err != nil {
		t.Fatal(err)
	}
	if got := resolve(t, m, client.NetNSPath, "web"); got != nil {
		t.Errorf("after it was closed, web is %v", got)
	}
}

func TestNetworksOfARunAreApart(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "two", drydock.Network{Name: "front"}, drydock.Network{Name: "back", IPv6: true, IsDefault: true})
	front := attach(t, r, runnet.Endpoint{Name: "a", Network: "front"})
	back := attach(t, r, runnet.Endpoint{Name: "a"})
	peer := attach(t, r, runnet.Endpoint{Name: "peer", Network: "back"})
	serve(t, front.NetNSPath, ":80", "front")
	serve(t, back.NetNSPath, ":80", "back")

	wantText(t, peer.NetNSPath, netip.AddrPortFrom(back.IP, 80).String(), "back")
	wantText(t, peer.NetNSPath, netip.AddrPortFrom(back.IP6, 80).String(), "back")
	wantNothing(t, peer.NetNSPath, netip.AddrPortFrom(front.IP, 80).String())
	if got := resolve(t, m, peer.NetNSPath, "a"); !slices.Equal(got, []netip.Addr{back.IP}) {
		t.Errorf("a on network back is %v, want %v", got, back.IP)
	}
	if resp := query(t, m, front.NetNSPath, "udp", "peer", dns.TypeA); resp.Rcode != dns.RcodeNameError {
		t.Errorf("the answer for a name on another network is %v, want NXDOMAIN", resp)
	}
	resp := query(t, m, peer.NetNSPath, "udp", "a", dns.TypeAAAA)
	if len(resp.Answer) != 1 || resp.Answer[0].(*dns.AAAA).AAAA.String() != back.IP6.String() {
		t.Errorf("AAAA of a is %v, want %v", resp.Answer, back.IP6)
	}
}

func TestRunsNeverMeet(t *testing.T) {
	t.Parallel()
	m, other := newManager(t, nil), newManager(t, nil)
	if m.DNS() != other.DNS() {
		t.Errorf("two instances have the name servers %s and %s", m.DNS(), other.DNS())
	}
	mine := openRun(t, m, "one")
	server := attach(t, mine, runnet.Endpoint{Name: "server"})
	serve(t, server.NetNSPath, ":80", "private")
	serve(t, mine.HostPath(), ":81", "private")
	uplink := addrOf(t, mine.HostPath(), "uplink")
	for name, r := range map[string]*runnet.Run{
		"same instance":    openRun(t, m, "two"),
		"another instance": openRun(t, other, "one"),
	} {
		client := attach(t, r, runnet.Endpoint{Name: "client"})
		if got := resolve(t, m, client.NetNSPath, "server"); got != nil {
			t.Errorf("%s: server is %v", name, got)
		}
		for _, from := range []string{client.NetNSPath, r.HostPath()} {
			wantNothing(t, from, netip.AddrPortFrom(uplink, 81).String())
			if from != client.NetNSPath || server.IP != client.IP { // else it is the client itself
				wantNothing(t, from, netip.AddrPortFrom(server.IP, 80).String())
			}
		}
	}
	wantNothing(t, "", netip.AddrPortFrom(uplink, 81).String())
}

func TestHostAndNone(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "special")
	web := attach(t, r, runnet.Endpoint{Name: "web"})
	serve(t, web.NetNSPath, ":80", "hello")

	host := attach(t, r, runnet.Endpoint{Name: "h", Network: "host"})
	if host.NetNSPath != r.HostPath() {
		t.Errorf("network host is %s, want the run's own %s", host.NetNSPath, r.HostPath())
	}
	wantText(t, host.NetNSPath, netip.AddrPortFrom(web.IP, 80).String(), "hello")

	none := attach(t, r, runnet.Endpoint{Name: "n", Network: "none"})
	serve(t, none.NetNSPath, "127.0.0.1:80", "alone")
	wantText(t, none.NetNSPath, "127.0.0.1:80", "alone")
	wantNothing(t, none.NetNSPath, netip.AddrPortFrom(web.IP, 80).String())
	if links := linksOf(t, none.NetNSPath); !slices.Equal(links, []string{"lo"}) {
		t.Errorf("network none has the links %v", links)
	}
}

func TestBadRuns(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "taken")
	attach(t, r, runnet.Endpoint{Name: "web"})
	_, dup := m.OpenRun(t.Context(), "taken", nil, runnet.RunOptions{})
	if _, err := os.Stat(r.HostPath()); err != nil {
		t.Errorf("a second run with the same id took the name of the first: %v", err)
	}
	_, id := m.OpenRun(t.Context(), "../x", nil, runnet.RunOptions{})
	_, twice := m.OpenRun(t.Context(), "a", []drydock.Network{{Name: "n"}, {Name: "n"}}, runnet.RunOptions{})
	_, driver := m.OpenRun(t.Context(), "a", []drydock.Network{{Name: "n", Driver: "overlay"}}, runnet.RunOptions{})
	_, name := r.Attach(t.Context(), runnet.Endpoint{Name: "WEB"})
	_, network := r.Attach(t.Context(), runnet.Endpoint{Name: "x", Network: "nowhere"})
	for _, c := range []struct {
		err  error
		want string
	}{
		{dup, "a run with this id is open"},
		{id, "letters, digits"},
		{twice, `two networks are named "n"`},
		{driver, `driver "overlay"`},
		{name, `"WEB" is already on network`},
		{network, `no network is named "nowhere"`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got error %v, want one with %q", c.err, c.want)
		}
	}
}
