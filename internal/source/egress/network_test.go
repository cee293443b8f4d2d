package egress_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source/egress"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// network returns a network that ends with the test.
func network(t *testing.T, o egress.Options) *egress.Network {
	t.Helper()
	n := egress.New(o)
	t.Cleanup(n.CloseIdleConnections)
	return n
}

// get returns what a URL has.
func get(t *testing.T, n *egress.Network, address string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := n.Client().Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// refused checks that a policy keeps from a URL.
func refused(t *testing.T, n *egress.Network, address string) {
	t.Helper()
	_, err := get(t, n, address)
	var user *drydock.Error
	if !errors.As(err, &user) || user.Code != drydock.Denied {
		t.Errorf("%s: %v", address, err)
	}
}

func server(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// What counts is the address that a name turns out to be, at each hop.
func TestNamesAndRedirects(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	inner := server(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, _ := net.SplitHostPort(inner.Listener.Addr().String())
	closed := network(t, egress.Options{})
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		refused(t, closed, "http://"+host+":"+port)
	}
	outer := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.URL.Query().Get("to"), http.StatusFound)
	})
	open := network(t, egress.Options{Policy: egress.Policy{
		Allow: loopback, Self: drydock.Self{
			Named:   func(host string) bool { return host == "management.drydock.test" },
			Listens: func(to netip.AddrPort) bool { return fmt.Sprint(to.Port()) == port },
		},
	}})
	for _, to := range []string{"169.254.169.254/latest", "127.0.0.1:" + port, "localhost:" + port, "[fd00:ec2::254]/", "Management.drydock.test./x"} {
		refused(t, open, outer.URL+"?to="+to)
	}
	if asked.Load() != 0 {
		t.Error("somebody was asked who must not be")
	}
}

func TestOwnRegistries(t *testing.T) {
	t.Parallel()
	own := server(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "own") })
	n := network(t, egress.Options{
		Policy: egress.Policy{Self: drydock.Self{Named: func(string) bool { return true }}},
		Own: func(host string) http.RoundTripper {
			if host != "contoso.azurecr.drydock.test:8443" {
				return nil
			}
			return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, own.Listener.Addr().String())
			}}
		},
	})
	if text, err := get(t, n, "http://contoso.azurecr.drydock.test:8443/v2/"); err != nil || text != "own" {
		t.Errorf("%q: %v", text, err)
	}
	refused(t, n, "http://management.drydock.test:8443/")
}

// Certificates are trusted for the host that they were given for.
func TestCertificates(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(s.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	host := s.Listener.Addr().String()
	for name, c := range map[string]struct {
		o    egress.Options
		want bool
	}{
		"none":         {egress.Options{}, false},
		"for all":      {egress.Options{CAs: map[string][]byte{"": ca}}, true},
		"for the host": {egress.Options{CAs: map[string][]byte{host: ca}}, true},
		"for another":  {egress.Options{CAs: map[string][]byte{"other.example": ca}}, false},
		"insecure":     {egress.Options{Insecure: []string{host}}, true},
		"another is":   {egress.Options{Insecure: []string{"other.example"}}, false},
	} {
		c.o.Policy.Allow = loopback
		text, err := get(t, network(t, c.o), s.URL)
		if (err == nil) != c.want || c.want && text != "hello" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// proxy is one that connects everything to one server.
func proxy(t *testing.T, to string, seen *atomic.Value) *httptest.Server {
	t.Helper()
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Method + " " + r.Host + " " + r.Header.Get("Proxy-Authorization"))
		if r.Method != http.MethodConnect {
			fmt.Fprint(w, "through the proxy")
			return
		}
		there, err := net.Dial("tcp", to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		here, sent, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			io.Copy(there, sent) // what came with the request, and after it
			there.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(here, there)
		here.Close()
		there.Close()
	})
}

// The operator's proxy may be on this machine; what it reaches is for it to say,
// but for addresses that are named.
func TestProxy(t *testing.T) {
	t.Parallel()
	var seen atomic.Value
	p := proxy(t, "", &seen)
	at, err := url.Parse(strings.Replace(p.URL, "://", "://u:pw@", 1))
	if err != nil {
		t.Fatal(err)
	}
	n := network(t, egress.Options{Proxy: func(u *url.URL) (*url.URL, error) {
		if u.Hostname() == "localhost" {
			return nil, nil
		}
		return at, nil
	}})
	if text, err := get(t, n, "http://git.example/x"); err != nil || text != "through the proxy" {
		t.Errorf("%q: %v", text, err)
	}
	if want := "GET git.example Basic " + base64.StdEncoding.EncodeToString([]byte("u:pw")); seen.Load() != want {
		t.Errorf("the proxy saw %q", seen.Load())
	}
	refused(t, n, "http://169.254.169.254/x")
	refused(t, n, "http://localhost:1/x") // reached directly
	for _, host := range []string{"2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "127.1"} {
		refused(t, n, "http://"+host+"/x") // an address, to who reads it so
	}
}

// What a proxy is asked for is what was judged, however the host is spelled.
func TestProxyOfHostsInUnicode(t *testing.T) {
	t.Parallel()
	var seen atomic.Value
	seen.Store("")
	at, err := url.Parse(proxy(t, "127.0.0.1:1", &seen).URL)
	if err != nil {
		t.Fatal(err)
	}
	n := network(t, egress.Options{
		Policy: egress.Policy{Self: drydock.Self{Named: func(host string) bool { return host == "management.drydock.test" }}},
		Proxy: func(u *url.URL) (*url.URL, error) {
			if u.Hostname() == "xn--bcher-kva.direct" {
				return nil, fmt.Errorf("no proxy for %s", u.Host)
			}
			return at, nil
		},
		Own: func(host string) http.RoundTripper {
			if host != "contoso.azurecr.drydock.test:8443" {
				return nil
			}
			return own{}
		},
	})
	for _, host := range []string{"１２７.０.０.１", "127。0。0。1", "１６９.２５４.１６９.２５４", "２８５２０３９１６６", "ｍanagement.drydock。test", "ｍanagement.drydock。test.", "é_.example"} {
		for _, address := range []string{"https://" + host + "/", "http://" + host + ":8080/"} {
			refused(t, n, address)
		}
		if c, err := n.Dial(t.Context(), host+":22"); drydock.CodeOf(err) != drydock.Denied {
			t.Errorf("%s: %v, %v", host, c, err)
		}
	}
	if seen.Load() != "" {
		t.Errorf("the proxy was asked: %s", seen.Load())
	}
	if _, err := get(t, n, "https://Bücher.direct:8443/"); err == nil || !strings.Contains(err.Error(), "no proxy for xn--bcher-kva.direct:8443") {
		t.Error(err)
	}
	if text, err := get(t, n, "http://bücher.example:8080/x"); err != nil || text != "through the proxy" || seen.Load() != "GET xn--bcher-kva.example:8080 " {
		t.Errorf("%q %v; the proxy saw %q", text, err, seen.Load())
	}
	if _, err := get(t, n, "https://ｂücher.example/"); err == nil || seen.Load() != "CONNECT xn--bcher-kva.example:443 " {
		t.Errorf("%v; the proxy saw %q", err, seen.Load())
	}
	if text, err := get(t, n, "https://contoso。azurecr.drydock.test:8443/v2/"); err != nil || text != "own" {
		t.Errorf("%q: %v", text, err)
	}
}

// own answers for one of the server's registries.
type own struct{}

func (own) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("own")), Request: r}, nil
}
