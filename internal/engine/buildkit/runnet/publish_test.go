package runnet_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

func TestPortsArePublishedInTheRun(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "ports")
	free := freePort(t)
	web := attach(t, r, runnet.Endpoint{Name: "web", Ports: []string{free + ":80", "80", "127.0.0.1:9000:80"}})
	serve(t, web.NetNSPath, ":80", "hello")
	peer := attach(t, r, runnet.Endpoint{Name: "peer"})
	gateway := addrOf(t, r.HostPath(), "br0")

	wantText(t, r.HostPath(), "127.0.0.1:"+free, "hello")
	wantText(t, r.HostPath(), "[::1]:"+free, "hello")
	wantText(t, peer.NetNSPath, net.JoinHostPort(gateway.String(), free), "hello")
	wantText(t, r.HostPath(), "127.0.0.1:9000", "hello")
	wantNothing(t, peer.NetNSPath, net.JoinHostPort(gateway.String(), "9000"))
	if len(web.Ports) != 3 || web.Ports[1].Host.Port() == 0 {
		t.Fatalf("the published ports are %+v, want 3", web.Ports)
	}
	wantText(t, r.HostPath(), net.JoinHostPort("127.0.0.1", strconv.Itoa(int(web.Ports[1].Host.Port()))), "hello")
	wantNothing(t, "", "127.0.0.1:"+free)

	_, err := r.Attach(t.Context(), runnet.Endpoint{Name: "second", Ports: []string{free + ":8080"}})
	if want := `"web" has published it already`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("publishing a port twice: got error %v, want %q", err, want)
	}
	if got := resolve(t, m, peer.NetNSPath, "web"); len(got) != 1 {
		t.Errorf("after a failed attach web is %v", got)
	}
	if err := web.Close(); err != nil {
		t.Fatal(err)
	}
	again := attach(t, r, runnet.Endpoint{Name: "second", Ports: []string{free + ":8080"}})
	serve(t, again.NetNSPath, ":8080", "second")
	wantText(t, r.HostPath(), "127.0.0.1:"+free, "second")

	other := openRun(t, m, "ports2")
	attach(t, other, runnet.Endpoint{Name: "web", Ports: []string{free + ":80"}})
}

func TestPublishOnTheMachine(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRunWith(t, m, "publish", runnet.RunOptions{Publish: true})
	web := attach(t, r, runnet.Endpoint{Name: "web", Ports: []string{"127.0.0.1::80", "127.0.0.1::53/udp"}})
	serve(t, web.NetNSPath, ":80", "hello")
	wantText(t, "", web.Ports[0].Host.String(), "hello")
	wantText(t, r.HostPath(), web.Ports[0].Host.String(), "hello")

	echoUDP(t, web.NetNSPath, ":53")
	for _, path := range []string{"", r.HostPath()} {
		if err := inside(path, func() error { return exchangeUDP(web.Ports[1].Host) }); err != nil {
			t.Errorf("a datagram to the published port is not answered: %v", err)
		}
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = r.Attach(t.Context(), runnet.Endpoint{Name: "taken", Ports: []string{l.Addr().String() + ":80"}})
	if want := "in use on this machine"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("publishing a port of the machine that is in use: got error %v, want %q", err, want)
	}

	// Closing breaks connections that are open.
	c, err := net.DialTimeout("tcp", web.Ports[0].Host.String(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, "", web.Ports[0].Host.String())
}

func TestHalfClose(t *testing.T) {
	t.Parallel()
	m := newManager(t, nil)
	r := openRun(t, m, "half")
	web := attach(t, r, runnet.Endpoint{Name: "web", Ports: []string{"7000:7"}})
	// The server answers once it has seen the end of what it is told.
	var l net.Listener
	if err := inside(web.NetNSPath, func() (err error) {
		l, err = net.Listen("tcp", ":7")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 100)
		n := 0
		for {
			k, err := c.Read(b[n:])
			if n += k; err != nil {
				break
			}
		}
		_, _ = c.Write(b[:n])
	}()
	err := inside(r.HostPath(), func() error {
		c, err := net.DialTimeout("tcp", "127.0.0.1:7000", time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = c.Write([]byte("ping"))
		_ = c.(*net.TCPConn).CloseWrite()
		b := make([]byte, 10)
		if n, err := c.Read(b); string(b[:n]) != "ping" {
			t.Errorf("the answer is %q, %v", b[:n], err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// freePort returns a port of the machine that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(int(netip.MustParseAddrPort(l.Addr().String()).Port()))
}

// echoUDP answers datagrams in a namespace with themselves.
func echoUDP(t *testing.T, path, addr string) {
	t.Helper()
	var c net.PacketConn
	if err := inside(path, func() (err error) {
		c, err = net.ListenPacket("udp", addr)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1000)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-done
	})
}

func exchangeUDP(to netip.AddrPort) error {
	var d net.Dialer
	c, err := d.DialContext(context.Background(), "udp", to.String())
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Write([]byte("ping")); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 10))
	return err
}
