package runnet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// Serve sends what comes to ports of the address to a container from now on, and
// opens and closes ports as needed. Connections that are open stay with the
// container that they were made to. A port that is taken is an error with code
// Conflict; then all is as before.
func (a *Address) Serve(ctx context.Context, to *Attachment, ports []Port) error {
	a.serving.Lock()
	defer a.serving.Unlock()
	var opened []Port
	for _, p := range ports {
		if a.proxies[p] != nil {
			continue
		}
		proxy, err := a.listen(ctx, p, to)
		if err != nil {
			for _, o := range opened {
				err = errors.Join(err, a.shut(o))
			}
			return err
		}
		a.proxies[p] = proxy
		opened = append(opened, p)
	}
	for _, p := range ports {
		a.proxies[p].retarget(netip.AddrPortFrom(to.IP, p.Number))
	}
	return a.retain(ports)
}

// Drain waits until the TCP connections that came through ports of the address to
// a container have ended, or ctx has. It is for one that Serve no longer names.
func (a *Address) Drain(ctx context.Context, from *Attachment) {
	a.serving.Lock()
	proxies := maps.Clone(a.proxies)
	a.serving.Unlock()
	for p, proxy := range proxies {
		proxy.targets.drained(ctx, netip.AddrPortFrom(from.IP, p.Number))
	}
}

// listen opens a port of the address.
func (a *Address) listen(ctx context.Context, p Port, to *Attachment) (*proxy, error) {
	enter := a.Run.ns.inside
	if a.kind == HostAddress {
		enter = func(f func() error) error { return f() }
	}
	l, _, err := a.Run.ports.listen(ctx, p.Proto, a.addr, p.Number, enter)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil, drydock.Errorf(drydock.Conflict, "port %d/%s of %s is in use by another program of this machine", p.Number, p.Proto, a.addr).
			WithHint("choose another port, or give groups addresses of their own with --instances-addresses")
	}
	if err != nil {
		return nil, fmt.Errorf("opening port %d/%s: %w", p.Number, p.Proto, err)
	}
	return startProxy(l, netip.AddrPortFrom(to.IP, p.Number), a.Run.dial, a.conns), nil
}

// retain closes all ports but those that are given. The caller holds the lock.
func (a *Address) retain(ports []Port) error {
	keep := map[Port]bool{}
	for _, p := range ports {
		keep[p] = true
	}
	var errs []error
	for p := range a.proxies {
		if !keep[p] {
			errs = append(errs, a.shut(p))
		}
	}
	return errors.Join(errs...)
}

func (a *Address) shut(p Port) error {
	proxy := a.proxies[p]
	delete(a.proxies, p)
	return proxy.close()
}

// Dial connects to a container of the network.
func (a *Address) Dial(ctx context.Context, network string, to *Attachment, port uint16) (Conn, error) {
	return a.Run.dial(ctx, network, netip.AddrPortFrom(to.IP, port))
}
