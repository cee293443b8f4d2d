package runnet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// maxHostConns bounds the connections of one run to its hosts.
const maxHostConns = 256

// metadataAddress is where programs ask a cloud for the machine's identity. No run
// reaches the machine's own.
func metadataAddress() netip.Addr { return netip.MustParseAddr("169.254.169.254") }

// hosts is the address of the hosts of runs, beside that of the name server.
func (m *Manager) hosts() netip.Addr {
	return nthAddr(m.cfg.Subnet, 1<<(32-m.cfg.Subnet.Bits())-3)
}

// hostServer answers for the hosts of a run. A nil one has none.
type hostServer struct {
	hosts  *drydock.RunHosts
	at     netip.Addr
	secure net.Listener
	plain  net.Listener
	slots  chan struct{} // one for each connection

	serving sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	conns   map[*hostConn]struct{}
}

func newHostServer(hosts *drydock.RunHosts) *hostServer {
	return &hostServer{hosts: hosts, slots: make(chan struct{}, maxHostConns), conns: map[*hostConn]struct{}{}}
}

// listen opens the listeners in the namespace of the calling thread. They are at
// ports that are free there: with `network: host`, a container may have its own
// servers at those of HTTP and HTTPS.
func (s *hostServer) listen(ctx context.Context, h *netlink.Handle, at netip.Addr) error {
	if s == nil {
		return nil
	}
	s.at = at
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1, Name: "lo"}}
	err := addAddr(h, lo, netip.PrefixFrom(at, 32))
	for _, l := range []*net.Listener{&s.secure, &s.plain} {
		if err == nil {
			*l, err = (&net.ListenConfig{}).Listen(ctx, "tcp4", netip.AddrPortFrom(at, 0).String())
		}
	}
	if err == nil {
		leads := map[netip.AddrPort]netip.AddrPort{
			netip.AddrPortFrom(at, 443):               addrPort(s.secure),
			netip.AddrPortFrom(metadataAddress(), 80): addrPort(s.plain),
		}
		if s.hosts.Port != 0 {
			leads[netip.AddrPortFrom(at, uint16(s.hosts.Port))] = addrPort(s.secure)
		}
		err = hostsTable(leads).commit()
	}
	if err != nil {
		return fmt.Errorf("opening the hosts of a run: %w", err)
	}
	return nil
}

// lookup returns the address of a name, and nil for one that isn't theirs.
func (s *hostServer) lookup(name string) []*host {
	if s == nil {
		return nil
	}
	name = fold(name)
	if s.hosts.Has(name) {
		return []*host{{name: name, addr: s.at}}
	}
	if s.hosts.Address != nil {
		if addr, ok := s.hosts.Address(name); ok {
			return []*host{{name: name, addr: addr}}
		}
	}
	return nil
}

func addrPort(l net.Listener) netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }

// hostsTable leads TCP connections to other addresses and ports, those of
// containers and those from the namespace itself.
func hostsTable(leads map[netip.AddrPort]netip.AddrPort) *table {
	t := newTable("drydock-hosts")
	prerouting := t.chain("prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, -100, nftables.ChainPolicyAccept)
	output := t.chain("output", nftables.ChainTypeNAT, nftables.ChainHookOutput, -100, nftables.ChainPolicyAccept)
	for from, to := range leads {
		match := [][]expr.Any{destination(netip.PrefixFrom(from.Addr(), 32)), tcpPort(from.Port()), destinationNAT(to)}
		prerouting.rule(append([][]expr.Any{inLinkNot(uplinkName)}, match...)...)
		output.rule(match...)
	}
	return t
}

// tcpPort matches packets of TCP to a port.
func tcpPort(port uint16) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)},
	}
}

func destinationNAT(to netip.AddrPort) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: to.Addr().AsSlice()},
		&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, to.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
	}
}

// start serves until close.
func (s *hostServer) start() {
	if s == nil {
		return
	}
	s.serving.Go(func() { s.accept(s.secure, s.hosts.Secure) })
	s.serving.Go(func() { s.accept(s.plain, s.hosts.Metadata) })
}

func (s *hostServer) accept(l net.Listener, take func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err == nil {
			s.slots <- struct{}{}
			s.hand(conn, take)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		// Of descriptors or memory there may be more later.
		time.Sleep(50 * time.Millisecond)
	}
}

// hand gives a connection to who serves it, unless the run is over.
func (s *hostServer) hand(conn net.Conn, take func(net.Conn)) {
	c := &hostConn{Conn: conn, server: s}
	s.mu.Lock()
	over := s.closed
	if !over {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if over {
		_ = c.Close()
		return
	}
	take(c)
}

// close breaks all connections: an open one would keep the run's namespace.
func (s *hostServer) close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	s.closed = true
	open := make([]*hostConn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	var errs []error
	for _, l := range []net.Listener{s.secure, s.plain} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	for _, c := range open {
		_ = c.Close() // its other end is gone, or about to be
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

// hostConn is a connection of a container to one of the run's hosts.
type hostConn struct {
	net.Conn
	server *hostServer
	once   sync.Once
	err    error
}

// Close implements net.Conn.
func (c *hostConn) Close() error {
	c.once.Do(func() {
		c.err = c.Conn.Close()
		c.server.mu.Lock()
		delete(c.server.conns, c)
		c.server.mu.Unlock()
		<-c.server.slots
	})
	return c.err
}
