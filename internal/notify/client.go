package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// ClientOptions say how others are reached.
type ClientOptions struct {
	TLS   *tls.Config                           // nil for the machine's
	Proxy func(*http.Request) (*url.URL, error) // nil for none
	Reach Reach
}

var errForbidden = errors.New("nothing is sent to this address")

// NewClient returns a client that follows no redirects and connects to no
// address that nothing may be sent to, whatever the name that resolves to it.
// Where a proxy is used, it is the proxy that is connected to.
func NewClient(o ClientOptions) *http.Client {
	direct := &net.Dialer{Timeout: 10 * time.Second}
	checked := &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error { return o.Reach.check(address) },
	}
	return &http.Client{
		Transport: &client{o: o, next: &http.Transport{
			Proxy: o.Proxy, TLSClientConfig: o.TLS, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if ctx.Value(proxied{}) != nil {
					return direct.DialContext(ctx, network, address)
				}
				return checked.DialContext(ctx, network, address)
			},
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// proxied marks the context of a request that goes through a proxy, which the
// operator has named.
type proxied struct{}

// client looks at what can be known of a request before its address is.
type client struct {
	o    ClientOptions
	next *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (c *client) RoundTrip(r *http.Request) (*http.Response, error) {
	if why := c.o.Reach.Refusal(r.URL); why != "" {
		return nil, fmt.Errorf("%s is %s: %w", r.URL.Hostname(), why, errForbidden)
	}
	if c.o.Proxy != nil {
		proxy, err := c.o.Proxy(r)
		if err != nil {
			return nil, err
		}
		if proxy != nil {
			r = r.WithContext(context.WithValue(r.Context(), proxied{}, true))
		}
	}
	return c.next.RoundTrip(r)
}

// CloseIdleConnections closes connections that nobody uses.
func (c *client) CloseIdleConnections() { c.next.CloseIdleConnections() }

// check refuses addresses; it is asked about the one that a name resolved to, so
// that a name can't change its mind in between.
func (r *Reach) check(address string) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, errForbidden)
	}
	if why := r.refusal(where); why != "" {
		return fmt.Errorf("%s is %s: %w", where.Addr(), why, errForbidden)
	}
	return nil
}
