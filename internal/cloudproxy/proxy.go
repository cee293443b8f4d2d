// Package cloudproxy is the proxy by which clients on this machine reach Drydock
// under the names of Azure's clouds: who has HTTPS_PROXY set to it needs neither
// DNS entries nor a registered cloud, and can't reach the real ones by accident.
//
// It connects to hosts of Drydock itself, answers what clients ask a virtual
// machine's metadata service, and refuses everything else, but for what the
// operator lets through. It never connects to this machine or to where clouds keep
// their credentials for anybody.
package cloudproxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Config is what a Proxy needs.
type Config struct {
	// Ours returns the HTTPS port of a host that is Drydock's, and false for all
	// others. The host is in lower case, without its port.
	Ours func(host string) (port int, ok bool)
	// Take serves a connection to a host of Drydock. It returns at once, and owns
	// the connection from then on.
	Take func(net.Conn)
	// Plain answers plain HTTP requests to hosts of Drydock.
	Plain http.Handler
	// Metadata answers requests to MetadataAddress.
	Metadata http.Handler
	// Pass are the hosts that are let through, in lower case: names, those below a
	// domain as "*.example.com", or "*" for all.
	Pass []string
	// Outside reaches what is let through, and judges its address.
	Outside Outside
	Log     *slog.Logger
}

// Outside reaches other hosts. An address that nobody may reach is an error with
// code Denied.
type Outside interface {
	http.RoundTripper
	Dial(ctx context.Context, address string) (net.Conn, error)
}

// MetadataAddress is where clouds answer for the machine itself.
const MetadataAddress = "169.254.169.254"

// The limits of what a client says before it is answered.
const (
	headersWithin = 20 * time.Second
	idleFor       = 2 * time.Minute
	maxHeaders    = 64 << 10
)

// Proxy answers on a listener.
type Proxy struct {
	c      Config
	server *http.Server

	ctx    context.Context // of what reaches the outside; ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	inside sync.WaitGroup // tunnels and requests to the outside; grows with mu held, until closed
}

// New returns a Proxy. The caller closes it.
func New(c Config) *Proxy {
	p := &Proxy{c: c}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.server = &http.Server{
		Handler: p, ReadHeaderTimeout: headersWithin, IdleTimeout: idleFor, MaxHeaderBytes: maxHeaders,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return p
}

// Serve answers on a listener until Close.
func (p *Proxy) Serve(l net.Listener) error {
	if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close ends all connections but those to Drydock's own hosts, and waits for
// what it serves.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	err := p.server.Close()
	p.inside.Wait()
	return err
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case r.URL.Scheme == "http" && r.URL.Host != "":
		p.plain(w, r)
	case r.URL.Scheme != "":
		http.Error(w, "this proxy takes CONNECT for "+printable(r.URL.Scheme), http.StatusBadRequest)
	default:
		http.Error(w, "this is a proxy, by which clients on this machine reach Drydock under the names of Azure's clouds: set HTTPS_PROXY and HTTP_PROXY to it", http.StatusBadRequest)
	}
}

// plain answers a request in absolute form. Its URL alone says which host it is
// for: what a Host header beside it says is nothing to anybody.
func (p *Proxy) plain(w http.ResponseWriter, r *http.Request) {
	host, port, err := splitHost(r.URL.Host, 80)
	if err != nil {
		p.refuse(w, r, r.URL.Host, err)
		return
	}
	if host == MetadataAddress && port == 80 {
		p.c.Metadata.ServeHTTP(w, direct(r))
		return
	}
	if https, ours := p.c.Ours(host); ours {
		if err := answers(host, port, 80, https); err != nil {
			p.refuse(w, r, r.URL.Host, err)
			return
		}
		p.c.Plain.ServeHTTP(w, direct(r))
		return
	}
	if err := p.passes(host); err != nil {
		p.refuse(w, r, r.URL.Host, err)
		return
	}
	// Where to is what was judged, however the client has spelt it.
	p.forward(w, r, strings.TrimSuffix(net.JoinHostPort(host, strconv.Itoa(port)), ":80"))
}

// answers returns an error with code Denied unless a host of Drydock's answers at a
// port: the usual one or that of its URLs.
func answers(host string, port, usual, own int) error {
	if port == usual || port == own {
		return nil
	}
	return drydock.Errorf(drydock.Denied, "Drydock answers at %s on port %d only, not on %d", host, own, port)
}

// direct returns a request as its host would have got it without a proxy.
func direct(r *http.Request) *http.Request {
	inner := r.Clone(r.Context())
	inner.Host = r.URL.Host
	inner.URL.Scheme, inner.URL.Host, inner.URL.User = "", "", nil
	inner.RequestURI = inner.URL.RequestURI()
	for _, name := range []string{"Proxy-Connection", "Proxy-Authorization"} {
		inner.Header.Del(name)
	}
	return inner
}

// forward passes a plain request on to a host, and what it is upgraded to. Both end
// with the proxy, also where the connection is not the server's any more.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, to string) {
	if !p.enter() {
		p.refuse(w, r, r.URL.Host, errClosing)
		return
	}
	defer p.inside.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	r = r.WithContext(ctx)
	(&httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.Host, pr.Out.URL.Host = pr.In.URL.Host, to
			if _, ok := pr.In.Header["User-Agent"]; !ok {
				pr.Out.Header.Set("User-Agent", "") // none of Go's own
			}
		},
		Transport:     p.c.Outside,
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			p.refuse(w, r, r.URL.Host, err)
		},
	}).ServeHTTP(w, r)
}

// passes returns an error with code Denied for a host that isn't let through.
func (p *Proxy) passes(host string) error {
	for _, pattern := range p.c.Pass {
		domain, below := strings.CutPrefix(pattern, "*")
		if pattern == host || below && strings.HasSuffix(host, domain) {
			return nil
		}
	}
	return drydock.Errorf(drydock.Denied, "this proxy is for Drydock under the names of Azure's clouds, and %s is none of them", printable(host)).
		WithHint("list the host in NO_PROXY, or let it through with the setting azure.pass")
}

// refuse says why a host is not reached.
func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, host string, err error) {
	status := http.StatusBadGateway
	var known *drydock.Error
	if errors.As(err, &known) {
		switch known.Code {
		case drydock.Denied:
			status = http.StatusForbidden
		case drydock.Invalid:
			status = http.StatusBadRequest
		case drydock.Unavailable:
			status = http.StatusServiceUnavailable
		}
	}
	p.c.Log.InfoContext(r.Context(), "the proxy did not connect", "host", host, "client", r.RemoteAddr, "error", err)
	w.Header().Set("Connection", "close")
	http.Error(w, err.Error(), status)
}

// splitHost returns the host of an authority, in lower case and without a final
// dot, and its port. What is no plain name or address is an error with code
// Invalid.
func splitHost(authority string, usual int) (host string, port int, err error) {
	host, port = authority, usual
	if name, text, err := net.SplitHostPort(authority); err == nil {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return "", 0, drydock.Errorf(drydock.Invalid, "%s names no port", printable(authority))
		}
		host, port = name, int(n)
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(authority, "["), "]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
		return addr.Unmap().String(), port, nil
	}
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}
	if host == "" || len(host) > 253 || strings.IndexFunc(host, odd) >= 0 || drydock.NumericHost(host) {
		return "", 0, drydock.Errorf(drydock.Invalid, "%s is no host", printable(authority))
	}
	return host, port, nil
}

// printable is what a client sent, fit for an error's text.
func printable(text string) string {
	if len(text) > 260 {
		text = text[:260] + "…"
	}
	quoted := strconv.QuoteToASCII(text)
	if inner := quoted[1 : len(quoted)-1]; inner == text {
		return text
	}
	return quoted
}
