package notify

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/drydockhq/drydock"
)

// ClientOptions say how others are reached.
type ClientOptions struct {
	TLS   *tls.Config                           // nil for the machine's
	Proxy func(*http.Request) (*url.URL, error) // nil for none
	Deny  []netip.Prefix                        // networks that nothing is sent to
}

var errForbidden = errors.New("nothing is sent to this address")

// NewClient returns a client that follows no redirects and connects to no
// address that nothing may be sent to, whatever the name that resolves to it.
// Where a proxy is used, it is the proxy that is connected to.
func NewClient(o ClientOptions) *http.Client {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error { return o.check(address) },
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: o.Proxy, TLSClientConfig: o.TLS, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			DialContext: dialer.DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// check refuses addresses; it is asked about the one that a name resolved to, so
// that a name can't change its mind in between.
func (o *ClientOptions) check(address string) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, errForbidden)
	}
	ip := drydock.HostAddress(where.Addr())
	if what := drydock.Unreachable(ip); what != "" {
		return fmt.Errorf("%s is %s: %w", ip, what, errForbidden)
	}
	for _, network := range o.Deny {
		if network.Contains(ip) {
			return fmt.Errorf("%s is in %s: %w", ip, network, errForbidden)
		}
	}
	return nil
}
