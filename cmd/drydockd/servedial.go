package main

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/drydockhq/drydock"
)

// dialRegistry connects to a registry elsewhere, for pulls of runs and for what
// looks at images: never to what drydock.Unreachable is about, and to the server
// itself only for its registries. Loopback is open, as for runs. Proxies are the
// operator's.
func (d *daemon) dialRegistry(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dialRegistryBut(ctx, network, address, d.local(d.listener.Addr()))
}

// dialReal is dialRegistry for who means Azure's own registries by the names of its
// clouds.
func (d *daemon) dialReal(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dialRegistryBut(ctx, network, address, d.realLocal(d.listener.Addr()))
}

// dialRegistryBut dials what local says is this server's own at the address that it
// gives.
func (d *daemon) dialRegistryBut(ctx context.Context, network, address string, local func(string) (string, bool)) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 60 * time.Second}
	if d.isProxy(address) {
		return dialer.DialContext(ctx, network, address)
	}
	if own, ok := local(address); ok {
		return dialer.DialContext(ctx, network, own)
	}
	dialer.Control = func(_, address string, _ syscall.RawConn) error { return d.checkRegistry(address) }
	return dialer.DialContext(ctx, network, address)
}

// checkRegistry returns an error with code Denied for an address at which no
// registry is looked for.
func (d *daemon) checkRegistry(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return drydock.Errorf(drydock.Denied, "no registry is looked for at %s: it is no address", address)
	}
	if what := d.self().Closed(to); what != "" {
		return drydock.Errorf(drydock.Denied, "no registry is looked for at %s: it is %s", drydock.HostAddress(to.Addr()), what)
	}
	return nil
}

// isProxy reports whether host:port is a proxy that the operator has named.
func (d *daemon) isProxy(address string) bool {
	proxies := []*url.URL{d.config.Proxy.HTTP, d.config.Proxy.HTTPS}
	for _, text := range d.environ {
		name, value, _ := strings.Cut(text, "=")
		if name = strings.ToUpper(name); name != "HTTP_PROXY" && name != "HTTPS_PROXY" {
			continue
		}
		if !strings.Contains(value, "://") {
			value = "http://" + value
		}
		if u, err := url.Parse(value); err == nil {
			proxies = append(proxies, u)
		}
	}
	return slices.ContainsFunc(proxies, func(u *url.URL) bool {
		if u == nil || u.Hostname() == "" {
			return false
		}
		port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
		if u.Port() != "" {
			port = u.Port()
		}
		return net.JoinHostPort(u.Hostname(), port) == address
	})
}
