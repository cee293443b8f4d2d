package runnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// Published is a port of a container that is reachable elsewhere.
type Published struct {
	Proto     string         // tcp or udp
	Container uint16         // the container's port
	Host      netip.AddrPort // where it is published; an unspecified address means all
}

// maxConns bounds the connections and UDP flows through all ports of a run.
const maxConns = 1024

// portTable is what a run has published.
type portTable struct {
	run   *Run
	conns chan struct{} // one for each connection

	mu      sync.Mutex
	holders map[portKey]string // names of containers
}

type portKey struct {
	proto string
	port  uint16
}

func newPortTable(r *Run) *portTable {
	return &portTable{run: r, conns: make(chan struct{}, maxConns), holders: map[portKey]string{}}
}

// publication is the published ports of one container.
type publication struct {
	table   *portTable
	list    []Published
	keys    []portKey
	proxies []*proxy
}

// publish opens the ports of a container at addr.
func (t *portTable) publish(ctx context.Context, name string, addr netip.Addr, specs []portSpec) (*publication, error) {
	p := &publication{table: t}
	for _, s := range specs {
		if err := p.open(ctx, name, addr, s); err != nil {
			return nil, errors.Join(err, p.close())
		}
	}
	return p, nil
}

// open publishes one port on the first free host port of its range.
func (p *publication) open(ctx context.Context, name string, addr netip.Addr, s portSpec) error {
	tries := int(s.high-s.low) + 1
	if s.low == 0 {
		tries = 20 // a port that is free in the run may be taken on the machine
	}
	var err error
	for i := range tries {
		port := s.low
		if port != 0 {
			port += uint16(i)
		}
		if err = p.openAt(ctx, name, addr, s, port); !errors.Is(err, unix.EADDRINUSE) {
			return err
		}
	}
	return err
}

func (p *publication) openAt(ctx context.Context, name string, addr netip.Addr, s portSpec, port uint16) error {
	t := p.table
	target := netip.AddrPortFrom(addr, s.container)
	inner, port, err := t.listen(ctx, s.proto, insideAddr(s.addr), port, t.run.ns.inside)
	if err != nil {
		return t.conflict(err, "in the run", s.proto, port)
	}
	listeners := []*listener{inner}
	if t.run.publish {
		outer, _, err := t.listen(ctx, s.proto, s.addr, port, func(f func() error) error { return f() })
		if err != nil {
			return errors.Join(t.conflict(err, "on this machine", s.proto, port), inner.close())
		}
		listeners = append(listeners, outer)
	}
	for _, l := range listeners {
		p.proxies = append(p.proxies, startProxy(l, target, t.run.dial, t.conns))
	}
	key := portKey{s.proto, port}
	t.mu.Lock()
	t.holders[key] = name
	t.mu.Unlock()
	p.keys = append(p.keys, key)
	hostAddr := s.addr
	if !hostAddr.IsValid() {
		hostAddr = netip.IPv4Unspecified()
	}
	p.list = append(p.list, Published{Proto: s.proto, Container: s.container, Host: netip.AddrPortFrom(hostAddr, port)})
	return nil
}

// conflict says who has a port that could not be opened.
func (t *portTable) conflict(err error, where, proto string, port uint16) error {
	if !errors.Is(err, unix.EADDRINUSE) {
		return err
	}
	t.mu.Lock()
	holder := t.holders[portKey{proto, port}]
	t.mu.Unlock()
	e := &drydock.Error{Code: drydock.Failed, Err: err}
	if holder != "" {
		e.Message = fmt.Sprintf("publishing port %d/%s: %q has published it already", port, proto, holder)
	} else {
		e.Message = fmt.Sprintf("publishing port %d/%s: it is in use %s", port, proto, where)
	}
	return e.WithHint("publish another host port")
}

func (p *publication) close() error {
	var errs []error
	for _, x := range p.proxies {
		errs = append(errs, x.close())
	}
	p.table.mu.Lock()
	defer p.table.mu.Unlock()
	for _, k := range p.keys {
		delete(p.table.holders, k)
	}
	return errors.Join(errs...)
}

// insideAddr is where an address of the machine is opened in the run's
// namespace, which has none of the machine's but loopback.
func insideAddr(addr netip.Addr) netip.Addr {
	if addr.IsLoopback() {
		return addr
	}
	return netip.Addr{}
}

// listener is an open port: one of the two is set.
type listener struct {
	tcp net.Listener
	udp net.PacketConn
}

func (l *listener) close() error {
	if l.tcp != nil {
		return l.tcp.Close()
	}
	return l.udp.Close()
}

// listen opens a port in the namespace that enter enters, and returns the port
// that it got.
func (t *portTable) listen(ctx context.Context, proto string, addr netip.Addr, port uint16, enter func(func() error) error) (*listener, uint16, error) {
	host := ""
	if addr.IsValid() {
		host = addr.String()
	}
	at := net.JoinHostPort(host, strconv.Itoa(int(port)))
	l := &listener{}
	err := enter(func() (err error) {
		var lc net.ListenConfig
		if proto == "udp" {
			l.udp, err = lc.ListenPacket(ctx, "udp", at)
		} else {
			l.tcp, err = lc.Listen(ctx, "tcp", at)
		}
		return err
	})
	if err != nil {
		return nil, port, fmt.Errorf("opening port %s/%s: %w", at, proto, err)
	}
	local := ""
	if proto == "udp" {
		local = l.udp.LocalAddr().String()
	} else {
		local = l.tcp.Addr().String()
	}
	ap, err := netip.ParseAddrPort(local)
	if err != nil {
		return nil, port, errors.Join(fmt.Errorf("reading the address of port %s/%s: %w", at, proto, err), l.close())
	}
	return l, ap.Port(), nil
}

// dial connects to a container from within the run's namespace.
func (r *Run) dial(ctx context.Context, network string, to netip.AddrPort) (conn net.Conn, err error) {
	err = r.ns.inside(func() error {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, to.String())
		return err
	})
	return conn, err
}
