package runnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// dialTimeout bounds how long a container may take to accept.
	dialTimeout = 10 * time.Second
	// udpIdle is when a UDP flow without packets is forgotten.
	udpIdle = 90 * time.Second
	// maxPacket is the largest UDP payload.
	maxPacket = 65535
)

type dialFunc func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)

// proxy carries what arrives at a published port to a container.
type proxy struct {
	listener *listener
	targets  *targets
	dial     dialFunc
	conns    chan struct{} // bounds connections, shared with other proxies

	ctx    context.Context // ends with the proxy
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	flows map[netip.AddrPort]net.Conn // UDP, by sender
}

// startProxy serves until close; it owns the listener from now on.
func startProxy(l *listener, target netip.AddrPort, dial dialFunc, conns chan struct{}) *proxy {
	p := &proxy{listener: l, targets: newTargets(target), dial: dial, conns: conns, flows: map[netip.AddrPort]net.Conn{}}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	if l.tcp != nil {
		p.wg.Go(p.serveTCP)
	} else {
		p.wg.Go(p.serveUDP)
	}
	return p
}

// retarget sends what arrives from now on elsewhere. Connections that are open
// stay where they are; UDP flows move.
func (p *proxy) retarget(target netip.AddrPort) {
	p.targets.set(target)
	p.closeFlows()
}

// close breaks all connections and waits until nothing of the proxy is left.
func (p *proxy) close() error {
	p.cancel(errors.New("the port is no longer published"))
	err := p.listener.close()
	p.wg.Wait()
	return err
}

func (p *proxy) serveTCP() {
	for {
		in, err := p.listener.tcp.Accept()
		if p.ctx.Err() != nil {
			if err == nil {
				_ = in.Close()
			}
			return
		}
		if err != nil { // of descriptors or memory there may be more later
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		select {
		case p.conns <- struct{}{}:
			p.wg.Go(func() {
				defer func() { <-p.conns }()
				p.carry(in)
			})
		default:
			_ = in.Close()
		}
	}
}

// carry joins a connection to a new one to the container, until both directions
// have ended.
func (p *proxy) carry(in net.Conn) {
	defer in.Close()
	target := p.targets.enter()
	defer func() { p.targets.leave(target) }()
	out, err := p.dialTCP(target)
	for err != nil && p.targets.now() != target { // it has gone, and another has come
		p.targets.leave(target)
		target = p.targets.enter()
		out, err = p.dialTCP(target)
	}
	if err != nil {
		return // the sender sees its connection close
	}
	defer out.Close()
	stop := context.AfterFunc(p.ctx, func() {
		_ = in.Close()
		_ = out.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { copyHalf(out, in) })
	both.Go(func() { copyHalf(in, out) })
	both.Wait()
}

func (p *proxy) dialTCP(target netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(p.ctx, dialTimeout)
	defer cancel()
	return p.dial(ctx, "tcp", target)
}

// copyHalf copies one direction and passes its end on, as a half-close.
func copyHalf(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close()
		_ = from.Close()
		return
	}
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

func (p *proxy) serveUDP() {
	buf := make([]byte, maxPacket)
	for {
		n, from, err := p.listener.udp.ReadFrom(buf)
		if p.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			p.closeFlows()
			return
		}
		if err != nil {
			continue // an ICMP error for an answer that nobody wanted
		}
		ap, err := netip.ParseAddrPort(from.String())
		if err != nil {
			continue
		}
		if out := p.flow(ap, from); out != nil {
			_, _ = out.Write(buf[:n]) // UDP may lose packets
		}
	}
}

// flow returns the connection to the container that stands for a sender, or nil
// where there are too many.
func (p *proxy) flow(key netip.AddrPort, from net.Addr) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if out := p.flows[key]; out != nil {
		_ = out.SetReadDeadline(time.Now().Add(udpIdle))
		return out
	}
	select {
	case p.conns <- struct{}{}:
	default:
		return nil
	}
	out, err := p.dial(p.ctx, "udp", p.targets.now())
	if err != nil {
		<-p.conns
		return nil
	}
	_ = out.SetReadDeadline(time.Now().Add(udpIdle))
	p.flows[key] = out
	p.wg.Go(func() { p.answer(out, key, from) })
	return out
}

// answer carries the container's packets back to a sender, until neither has
// sent any for udpIdle.
func (p *proxy) answer(out net.Conn, key netip.AddrPort, to net.Addr) {
	defer func() {
		p.mu.Lock()
		delete(p.flows, key)
		p.mu.Unlock()
		_ = out.Close()
		<-p.conns
	}()
	buf := make([]byte, maxPacket)
	for {
		n, err := out.Read(buf)
		var timeout net.Error
		switch {
		case errors.Is(err, net.ErrClosed), errors.As(err, &timeout) && timeout.Timeout():
			return
		case err != nil:
			continue // nobody listened when the last packet came; somebody may later
		}
		_ = out.SetReadDeadline(time.Now().Add(udpIdle))
		if _, err := p.listener.udp.WriteTo(buf[:n], to); err != nil && p.ctx.Err() != nil {
			return
		}
	}
}

func (p *proxy) closeFlows() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, out := range p.flows {
		_ = out.Close()
	}
}
