package runnet_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// said answers connections with a text.
func said(text string) func(net.Conn) {
	return func(c net.Conn) {
		fmt.Fprintf(c, "%s to %s", text, c.RemoteAddr())
		c.Close()
	}
}

// hosts are some of a run, which say whose they are.
func hosts(run string) *drydock.RunHosts {
	return &drydock.RunHosts{
		Has: func(name string) bool {
			return name == "management.azure.com" || strings.HasSuffix(name, ".azurecr.io")
		},
		Secure: said("hosts of " + run), Metadata: said("metadata of " + run),
	}
}

func openWithHosts(t testing.TB, m *runnet.Manager, id string, h *drydock.RunHosts, networks ...drydock.Network) *runnet.Run {
	t.Helper()
	r, err := m.OpenRun(t.Context(), id, networks, runnet.RunOptions{Hosts: h})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

const metadata = "169.254.169.254:80"

func TestHostsAnswerInTheirRun(t *testing.T) {
	t.Parallel()
	outside := upstream(t, reply(dns.RcodeSuccess, "other.example. 60 IN A 203.0.113.9"))
	m := newManager(t, func(c *runnet.Config) { c.Resolvers = []string{outside} })
	runs := map[string]*runnet.Run{}
	for _, id := range []string{"one", "two"} {
		runs[id] = openWithHosts(t, m, id, hosts(id), drydock.Network{Name: "front", IsDefault: true}, drydock.Network{Name: "back", IPv6: true})
	}
	for id, r := range runs {
		paths := []string{r.HostPath()}
		for _, network := range []string{"front", "back"} {
			paths = append(paths, attach(t, r, runnet.Endpoint{Name: "c", Network: network}).NetNSPath)
		}
		for _, path := range paths {
			at := resolve(t, m, path, "Management.Azure.com")
			if len(at) != 1 || !slices.Equal(at, resolve(t, m, path, "contoso.azurecr.io")) {
				t.Fatalf("the address of management.azure.com is %v", at)
			}
			wantText(t, path, netip.AddrPortFrom(at[0], 443).String(), "hosts of "+id)
			wantText(t, path, metadata, "metadata of "+id)
			wantNothing(t, path, netip.AddrPortFrom(at[0], 80).String())
			wantNothing(t, path, "169.254.169.254:443")
			if resp := query(t, m, path, "udp", "management.azure.com", dns.TypeAAAA); resp.Rcode != dns.RcodeSuccess || len(resp.Answer) != 0 {
				t.Errorf("AAAA of one of the hosts is %v, want an empty answer", resp)
			}
			if got := resolve(t, m, path, "other.example"); len(got) != 1 || got[0].String() != "203.0.113.9" {
				t.Errorf("another name is %v", got)
			}
		}
	}
}

// With `network: host` a container has all ports to itself, also those at which
// the hosts answer.
func TestHostsTakeNoPortOfTheRun(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openWithHosts(t, m, "ports", hosts("ports"))
	for _, port := range []string{":443", ":80"} {
		serve(t, r.HostPath(), port, "the container's own")
	}
	wantText(t, r.HostPath(), "127.0.0.1:443", "the container's own")
	at := resolve(t, m, r.HostPath(), "management.azure.com")
	wantText(t, r.HostPath(), netip.AddrPortFrom(at[0], 443).String(), "hosts of ports")
	wantText(t, r.HostPath(), metadata, "metadata of ports")
}

func TestNobodyElseReachesTheHostsOfARun(t *testing.T) {
	t.Parallel()
	real := upstream(t, reply(dns.RcodeSuccess, "management.azure.com. 60 IN A 203.0.113.1"))
	m := newManager(t, func(c *runnet.Config) { c.Resolvers = []string{real} })
	r := openWithHosts(t, m, "mine", hosts("mine"))
	other := openRun(t, m, "other")
	c, alone := attach(t, other, runnet.Endpoint{Name: "c"}), attach(t, r, runnet.Endpoint{Name: "alone", Network: "none"})
	build, err := m.BuildNetwork().Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := resolve(t, m, r.HostPath(), "management.azure.com")
	for what, path := range map[string]string{
		"another run": c.NetNSPath, "its own namespace": other.HostPath(), "a build": build.NetNSPath, "a container without network": alone.NetNSPath, "the host": "",
	} {
		for _, addr := range []string{netip.AddrPortFrom(at[0], 443).String(), metadata} {
			if text := heard(path, addr); strings.Contains(text, "of mine") {
				t.Errorf("from %s, %s said %q", what, addr, text)
			}
		}
	}
	// Nor by the run's own address on the host's side, with a route that leads there.
	uplink := addrOf(t, r.HostPath(), "uplink")
	ns, path := newNamespace(t)
	defer ns.Close()
	for _, addr := range []string{netip.AddrPortFrom(uplink, 443).String(), netip.AddrPortFrom(uplink, 80).String()} {
		wantNothing(t, path, addr)
		wantNothing(t, "", addr)
	}
	for _, path := range []string{c.NetNSPath, build.NetNSPath} {
		if got := resolve(t, m, path, "management.azure.com"); slices.Equal(got, at) {
			t.Errorf("another run knows the name as %v", got)
		}
	}
}

// heard returns what somebody says at an address, if there is anybody: outside of
// runs, it may be one that accepts everything and says nothing.
func heard(path, addr string) string {
	var text []byte
	_ = inside(path, func() error {
		c, err := net.DialTimeout("tcp", addr, 300*time.Millisecond)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond))
		text, err = io.ReadAll(c)
		return err
	})
	return string(text)
}

// What a container keeps open ends with the run, and so does its namespace.
func TestHostsEndWithTheRun(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	taken := make(chan net.Conn, 1)
	h := hosts("ending")
	h.Metadata = func(c net.Conn) { taken <- c }
	r := openWithHosts(t, m, "ending", h)
	c := attach(t, r, runnet.Endpoint{Name: "c"})
	var there net.Conn
	if err := inside(c.NetNSPath, func() (err error) {
		there, err = net.Dial("tcp", metadata)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	here := <-taken
	path := r.HostPath()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Write([]byte("x")); err == nil {
		t.Error("a connection outlives its run")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the run's namespace is still there")
	}
	if err := here.Close(); err != nil && !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
}

// A container that opens connections without end keeps nobody but itself from its
// hosts, and their number is bounded.
func TestConnectionsToHostsAreBounded(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	var mu sync.Mutex
	open := 0
	full := make(chan struct{})
	h := hosts("busy")
	h.Secure = func(net.Conn) { // kept open
		mu.Lock()
		defer mu.Unlock()
		if open++; open == runnet.MaxHostConns {
			close(full)
		}
	}
	r := openWithHosts(t, m, "busy", h)
	quiet := openWithHosts(t, m, "quiet", hosts("quiet"))
	at := netip.AddrPortFrom(resolve(t, m, r.HostPath(), "management.azure.com")[0], 443).String()
	err := inside(r.HostPath(), func() error {
		for range runnet.MaxHostConns + 50 {
			c, err := net.Dial("tcp", at)
			if err != nil {
				return err
			}
			t.Cleanup(func() { c.Close() })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	<-full
	wantText(t, quiet.HostPath(), at, "hosts of quiet")
	mu.Lock()
	defer mu.Unlock()
	if open != runnet.MaxHostConns {
		t.Errorf("%d connections are open, %d may be", open, runnet.MaxHostConns)
	}
}
