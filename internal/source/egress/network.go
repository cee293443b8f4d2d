package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Options are what a Network is made of.
type Options struct {
	Policy Policy
	// Proxy returns the proxy for a URL, as in http.Transport; nil for none. What
	// is reached through one is for that to judge, but for addresses that are
	// named as such.
	Proxy func(*url.URL) (*url.URL, error)
	// CAs are certificates in PEM form that are trusted beside the system's, by
	// host in ASCII with its port if that is named; "" for all hosts.
	CAs      map[string][]byte
	Insecure []string // hosts in ASCII whose certificates are not looked at
	// Own returns what reaches a host that is one of the server's registries;
	// nil, also for an answer, for none.
	Own func(host string) http.RoundTripper
	// Within is how long a host or a proxy may take to answer; 0 for 30 s.
	Within time.Duration
}

// Network connects to what sources are on. Its methods may be called from
// several goroutines.
type Network struct {
	o      Options
	dialer *net.Dialer // checked
	direct *net.Dialer // for proxies, which the operator has named

	mu         sync.Mutex
	transports map[string]*http.Transport // by what their hosts are trusted by
}

var _ http.RoundTripper = (*Network)(nil)

// connectWithin is how long a host may take to answer.
const connectWithin = 30 * time.Second

// New returns a Network.
func New(o Options) *Network {
	if o.Within == 0 {
		o.Within = connectWithin
	}
	return &Network{
		o: o, direct: &net.Dialer{Timeout: o.Within},
		dialer:     &net.Dialer{Timeout: o.Within, Control: o.Policy.control},
		transports: map[string]*http.Transport{},
	}
}

// Client returns an HTTP client on the network.
func (n *Network) Client() *http.Client { return &http.Client{Transport: n} }

// proxied marks the context of a request that goes through a proxy.
type proxied struct{}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	r, err := n.o.Policy.inASCII(r)
	if err != nil {
		return nil, err
	}
	if n.o.Own != nil {
		if own := n.o.Own(r.URL.Host); own != nil {
			return own.RoundTrip(r)
		}
	}
	if err := n.o.Policy.checkHost(r.URL.Hostname()); err != nil {
		return nil, err
	}
	proxy, err := n.proxy(r.URL)
	if err != nil {
		return nil, err
	}
	if proxy != nil {
		r = r.WithContext(context.WithValue(r.Context(), proxied{}, true))
	}
	return n.transport(r.URL.Host).RoundTrip(r)
}

func (n *Network) proxy(u *url.URL) (*url.URL, error) {
	if n.o.Proxy == nil {
		return nil, nil
	}
	return n.o.Proxy(u)
}

// transport returns the transport for a host: those that are trusted by the same
// share one.
func (n *Network) transport(host string) *http.Transport {
	insecure := slices.Contains(n.o.Insecure, host)
	key := ""
	if insecure || n.o.CAs[host] != nil {
		key = host
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if t := n.transports[key]; t != nil {
		return t
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = func(r *http.Request) (*url.URL, error) { return n.proxy(r.URL) }
	t.DialContext = n.dial
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} // the operator says so
	if len(n.o.CAs[""])+len(n.o.CAs[host]) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pool.AppendCertsFromPEM(n.o.CAs[""])
		pool.AppendCertsFromPEM(n.o.CAs[key])
		t.TLSClientConfig.RootCAs = pool
	}
	n.transports[key] = t
	return t
}

func (n *Network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if ctx.Value(proxied{}) != nil {
		return n.direct.DialContext(ctx, network, address)
	}
	return n.dialer.DialContext(ctx, network, address)
}

// CloseIdleConnections closes connections that nobody uses.
func (n *Network) CloseIdleConnections() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.transports {
		t.CloseIdleConnections()
	}
}
