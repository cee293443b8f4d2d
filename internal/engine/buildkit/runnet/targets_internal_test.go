package runnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
)

// A container that was replaced keeps its connections until they end.
func TestConnectionsOfAReplacedTarget(t *testing.T) {
	t.Parallel()
	before, after := echo(t), echo(t)
	p := proxyTo(t, before, dialAny)
	conn := connect(t, p)
	exchange(t, conn)
	p.retarget(after)

	waiting, cancel := context.WithCancel(t.Context())
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		p.targets.drained(waiting, before)
	}()
	exchange(t, conn)
	select {
	case <-drained:
		t.Error("there is a connection, and it was not waited for")
	default:
	}
	p.targets.drained(t.Context(), after) // it has none
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	<-drained
	cancel()
	p.targets.drained(waiting, before)
}

// A connection to a container that goes is made to the one that has come.
func TestConnectionWhileTheTargetIsReplaced(t *testing.T) {
	t.Parallel()
	gone, after := netip.MustParseAddrPort("127.0.0.1:1"), echo(t)
	var p *proxy
	dial := func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
		if to == gone {
			p.retarget(after)
			return nil, errors.New("nobody is there")
		}
		return dialAny(ctx, network, to)
	}
	p = proxyTo(t, gone, dial)
	exchange(t, connect(t, p))
}

// echo serves what answers with what it gets.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func dialAny(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, to.String())
}

func proxyTo(t *testing.T, target netip.AddrPort, dial dialFunc) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := startProxy(&listener{tcp: l}, target, dial, make(chan struct{}, 8))
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func connect(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.listener.tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func exchange(t *testing.T, conn net.Conn) {
	t.Helper()
	var b [4]byte
	if _, err := conn.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, b[:]); err != nil || string(b[:]) != "ping" {
		t.Fatalf("%q, %v", b, err)
	}
}
