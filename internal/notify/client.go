package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
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
// Where a proxy is used, it is the proxy that is connected to. Of an answer there
// is the status and when to try again, unless its sender is known to have a public
// address: whoever makes a webhook would read what serves a network from inside.
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
	var from net.Addr
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { from = i.Conn.RemoteAddr() },
	})
	throughProxy := false
	if c.o.Proxy != nil {
		proxy, err := c.o.Proxy(r)
		if err != nil {
			return nil, err
		}
		if throughProxy = proxy != nil; throughProxy {
			ctx = context.WithValue(ctx, proxied{}, true)
		}
	}
	answer, err := c.next.RoundTrip(r.WithContext(ctx))
	if err == nil && (throughProxy || !public(from)) {
		conceal(answer)
	}
	return answer, err
}

// conceal leaves of an answer what has to be known to send on.
func conceal(answer *http.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, answerKept) // the connection may be of use again
	answer.Body.Close()
	answer.Body, answer.ContentLength = http.NoBody, 0
	after := answer.Header.Values("Retry-After")
	answer.Header = http.Header{}
	for _, v := range after {
		answer.Header.Add("Retry-After", v)
	}
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
