package cloudproxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cloudproxy"
)

// outside reaches one host, whatever it is called, but for those of this machine.
type outside struct {
	to     string
	dialed chan string
}

func (o outside) Dial(ctx context.Context, address string) (net.Conn, error) {
	select {
	case o.dialed <- address:
	default:
	}
	if host, _, _ := net.SplitHostPort(address); host == "localhost" || strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "169.254.") {
		return nil, drydock.Errorf(drydock.Denied, "clients of the proxy may not reach %s", host)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", o.to)
}

func (o outside) RoundTrip(r *http.Request) (*http.Response, error) {
	t := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return o.Dial(ctx, address) }}
	defer t.CloseIdleConnections()
	return t.RoundTrip(r)
}

// start starts a proxy and returns its address.
func start(t *testing.T, o outside, pass ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	say := func(what string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s %s%s", what, r.Host, r.RequestURI, r.Header.Get("Proxy-Authorization"), r.URL.Host)
		})
	}
	p := cloudproxy.New(cloudproxy.Config{
		Ours: func(host string) (int, bool) {
			if strings.HasSuffix(host, ".drydock.test") {
				return 8443, true
			}
			_, _, _, ok := drydock.AzureHost(host)
			return 443, ok
		},
		Take: func(c net.Conn) {
			go func() {
				defer c.Close()
				line, _ := bufio.NewReader(c).ReadString('\n')
				fmt.Fprintf(c, "ours heard %s", line)
			}()
		},
		Plain: say("plain"), Metadata: say("metadata"), Pass: pass, Outside: o, Log: slog.New(slog.DiscardHandler),
	})
	served := make(chan error, 1)
	go func() { served <- p.Serve(l) }()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// say sends a text to the proxy and returns all that comes back.
func say(t *testing.T, proxy, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	// Only a tunnel has a client that says no more: a plain request of one who is gone
	// is canceled, at any moment. Its client asks for the end.
	tunnel := strings.HasPrefix(text, "CONNECT ")
	if !tunnel && !strings.Contains(text, "Connection: close") {
		text = strings.Replace(text, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	if tunnel {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	answer, _ := io.ReadAll(c)
	return string(answer)
}

func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "outside %s %s %s", r.Host, r.URL.Path, r.Header.Get("Proxy-Authorization"))
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestProxy(t *testing.T) {
	t.Parallel()
	o := outside{to: echo(t), dialed: make(chan string, 100)}
	proxy := start(t, o, "*.example.com", "localhost", "169.254.169.254")
	const end = " HTTP/1.1\r\nHost: x\r\n\r\n"
	for text, want := range map[string]string{
		// What is ours.
		"CONNECT contoso.azurecr.cn:443" + end + "hello\n":       "HTTP/1.1 200 Connection established\r\n\r\nours heard hello",
		"CONNECT MANAGEMENT.azure.com.:443" + end + "hello\n":    "ours heard hello",
		"CONNECT management.drydock.test:8443" + end + "hello\n": "ours heard hello",
		"GET http://169.254.169.254/metadata/identity?x=y" + end: "metadata 169.254.169.254 /metadata/identity?x=y ",
		"GET http://contoso.azurecr.cn/v2/" + end:                "plain contoso.azurecr.cn /v2/ ",
		"GET http://user:pw@contoso.azurecr.cn/v2/" + end:        "plain contoso.azurecr.cn /v2/ ",
		"CONNECT contoso.azurecr.cn:22" + end:                    "403 Forbidden",
		"CONNECT management.drydock.test:22" + end:               "403 Forbidden",
		"GET http://contoso.azurecr.cn:80/v2/" + end:             "plain contoso.azurecr.cn:80 /v2/ ",
		"GET http://contoso.azurecr.drydock.test:8443/" + end:    "plain contoso.azurecr.drydock.test:8443 / ",
		"GET http://contoso.azurecr.cn:22/v2/" + end:             "403 Forbidden",
		"GET http://contoso.azurecr.cn:8443/v2/" + end:           "on port 443 only, not on 8443",
		"GET http://management.drydock.test:6060/debug" + end:    "403 Forbidden",
		// What is let through.
		"GET http://www.example.com/x HTTP/1.1\r\nHost: other\r\nProxy-Authorization: Basic eA==\r\nConnection: close\r\n\r\n": "outside www.example.com /x ",
		"GET http://WWW.example.com.:8080/x HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n":                              "outside WWW.example.com.:8080 /x ",
		"CONNECT www.example.com:443" + end + "GET / HTTP/1.0\r\nHost: tunneled\r\n\r\n":                                       "outside tunneled / ",
		// What is not.
		"CONNECT example.com:443" + end:                 "403 Forbidden",
		"CONNECT example.org:443" + end:                 "is none of them",
		"CONNECT evilexample.com:443" + end:             "403 Forbidden",
		"GET http://example.org/" + end:                 "403 Forbidden",
		"CONNECT 127.0.0.1:22" + end:                    "403 Forbidden",
		"CONNECT localhost:22" + end:                    "may not reach localhost",
		"GET http://localhost:6060/" + end:              "may not reach localhost",
		"CONNECT [::1]:22" + end:                        "403 Forbidden",
		"CONNECT [::ffff:127.0.0.1]:22" + end:           "403 Forbidden",
		"CONNECT 169.254.169.254:80" + end:              "may not reach 169.254.169.254",
		"GET http://169.254.169.254:8080/" + end:        "may not reach 169.254.169.254",
		"CONNECT 2130706433:443" + end:                  "400 Bad Request",
		"CONNECT 0x7f000001:443" + end:                  "400 Bad Request",
		"CONNECT 127.1:443" + end:                       "400 Bad Request",
		"CONNECT 0177.0.0.1.:443" + end:                 "400 Bad Request",
		"GET http://0x7f.1/" + end:                      "400 Bad Request",
		"GET http://2852039166/metadata/identity" + end: "400 Bad Request",
		"CONNECT 0.0.0.0:22" + end:                      "403 Forbidden",
		"CONNECT azurecr.cn:443" + end:                  "403 Forbidden",
		"CONNECT contoso.azurecr.cn.evil.org:443" + end: "403 Forbidden",
		// What is no request to a proxy.
		"GET / HTTP/1.1\r\nHost: management.azure.com\r\n\r\n": "400 Bad Request",
		"GET https://management.azure.com/" + end:              "400 Bad Request",
		"GET ftp://management.azure.com/" + end:                "400 Bad Request",
		"CONNECT management.azure.com" + end:                   "400 Bad Request",
		"CONNECT management.azure.com:0" + end:                 "400 Bad Request",
		"CONNECT management.azure.com:65536" + end:             "400 Bad Request",
		"CONNECT management.azure.com:443@127.0.0.1:22" + end:  "400 Bad Request",
		"CONNECT management.azure.com%2f:443" + end:            "400 Bad Request",
		"CONNECT /management.azure.com:443" + end:              "400 Bad Request",
		// Smuggled.
		"CONNECT example.org:443 HTTP/1.1\r\nHost: contoso.azurecr.cn:443\r\n\r\n":                                 "403 Forbidden",
		"GET http://example.org/ HTTP/1.1\r\nHost: contoso.azurecr.cn\r\n\r\n":                                     "403 Forbidden",
		"CONNECT contoso.azurecr.cn:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello":                     "400 Bad Request",
		"CONNECT contoso.azurecr.cn:443 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n":        "400 Bad Request",
		"CONNECT contoso.azurecr.cn:443 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n":                                    "400 Bad Request",
		"POST http://www.example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!": "400 Bad Request",
		"GET http://www.example.com/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n":                          "501 Not Implemented",
		"GET http://contoso.azurecr.cn\r\nX: y" + end:                                                              "400 Bad Request",
	} {
		answer := say(t, proxy, text)
		if strings.Count(answer, "NO_PROXY") > 1 {
			t.Errorf("%q: what to do is said twice: %q", text, answer)
		}
		if !strings.Contains(answer, want) {
			t.Errorf("%q: %q, want %q", text, answer, want)
		}
		if strings.Contains(answer, "Basic") || strings.Contains(answer, "pw") {
			t.Errorf("%q: what was for the proxy went on: %q", text, answer)
		}
	}
	close(o.dialed)
	for address := range o.dialed {
		if strings.ToLower(address) != address || strings.Contains(address, ".:") {
			t.Errorf("the proxy has dialed %s as it was spelt", address)
		}
		if host, _, _ := net.SplitHostPort(address); host == "example.org" || host == "127.0.0.1" || host == "::1" {
			t.Errorf("the proxy has dialed %s", address)
		}
	}
}

// What has two ends, one by its length and one by its chunks, goes on with one, and
// what would follow the other is judged as the request that it is.
func TestNothingIsSmuggled(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		heard <- fmt.Sprintf("%s %s%s %q %v %d %v", r.Method, r.Host, r.URL, body, err, r.ContentLength, r.TransferEncoding)
	}))
	t.Cleanup(s.Close)
	proxy := start(t, outside{to: s.Listener.Addr().String()}, "www.example.com")
	const inner = "GET http://example.org/inner HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n"
	answer := say(t, proxy, "POST http://www.example.com/outer HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: "+strconv.Itoa(5+len(inner))+
		"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+inner)
	s.Close() // waits for what it was asked
	close(heard)
	var all []string
	for request := range heard {
		all = append(all, request)
	}
	if len(all) != 1 || all[0] != `POST www.example.com/outer "" <nil> -1 [chunked]` && all[0] != `POST www.example.com/outer "" <nil> 0 []` {
		t.Errorf("the outside heard %q", all)
	}
	if n := strings.Count(answer, "HTTP/1.1 200 "); n != 1 || strings.Count(answer, "HTTP/1.1 ") == 2 && !strings.Contains(answer, "HTTP/1.1 403 ") {
		t.Errorf("answered %q", answer)
	}
}

// With "*" everything is let through that Outside lets through.
func TestPassAll(t *testing.T) {
	t.Parallel()
	proxy := start(t, outside{to: echo(t)}, "*")
	at, err := url.Parse("http://" + proxy)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(at)}
	t.Cleanup(transport.CloseIdleConnections)
	for address, want := range map[string]string{
		"http://anything.example/x": "outside anything.example /x ", "http://127.0.0.2/": "may not reach", "http://169.254.169.254/y": "metadata 169.254.169.254 /y ",
	} {
		resp, err := (&http.Client{Transport: transport}).Get(address)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %q %v, want %q", address, text, err, want)
		}
	}
}

// A tunnel to the outside ends with the proxy.
func TestCloseBreaksTunnels(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := cloudproxy.New(cloudproxy.Config{
		Ours: func(string) (int, bool) { return 0, false }, Pass: []string{"*"},
		Outside: outside{to: silent.Addr().String()}, Log: slog.New(slog.DiscardHandler),
	})
	endsWith(t, p, l, "CONNECT silent.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", "200")
}

// endsWith asks a proxy for a connection that stays, closes the proxy, and checks
// that the connection ends with it.
func endsWith(t *testing.T, p *cloudproxy.Proxy, l net.Listener, request, status string) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- p.Serve(l) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, status) {
		t.Fatal(line, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(r); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
}

// What was upgraded to another protocol ends with the proxy too.
func TestCloseEndsUpgrades(t *testing.T) {
	t.Parallel()
	var hijacked sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: silence\r\n\r\n")
		hijacked.Go(func() {
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		})
	}))
	t.Cleanup(func() { hijacked.Wait(); s.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := cloudproxy.New(cloudproxy.Config{
		Ours: func(string) (int, bool) { return 0, false }, Pass: []string{"*"},
		Outside: outside{to: s.Listener.Addr().String()}, Log: slog.New(slog.DiscardHandler),
	})
	endsWith(t, p, l, "GET http://silent.example/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: silence\r\n\r\n", "101")
}

// Who comes while the proxy is being closed is not told that there is a tunnel.
func TestClosingIsAnAnswer(t *testing.T) {
	t.Parallel()
	p := cloudproxy.New(cloudproxy.Config{
		Ours: func(string) (int, bool) { return 0, false }, Pass: []string{"*"}, Log: slog.New(slog.DiscardHandler),
		Outside: never{func(_ context.Context, address string) { t.Error("reached " + address) }},
	})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"CONNECT silent.example:443", "GET http://silent.example/"} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "closed") {
			t.Errorf("%s: %d %s", line, w.Code, w.Body)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{"CONNECT a:443", "GET http://[::1]/", "CONNECT [::1%25lo]:443", "GET http://contoso.azurecr.cn:80/"} {
		f.Add(s)
	}
	reached := func(ctx context.Context, address string) { panic("reached " + address) }
	p := cloudproxy.New(cloudproxy.Config{
		Ours:    func(string) (int, bool) { return 0, false },
		Outside: never{reached}, Log: slog.New(slog.DiscardHandler),
		Metadata: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	})
	f.Fuzz(func(t *testing.T, line string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil {
			return
		}
		p.ServeHTTP(httptest.NewRecorder(), r)
	})
}

// never panics when something is reached.
type never struct{ reached func(context.Context, string) }

func (n never) Dial(ctx context.Context, address string) (net.Conn, error) {
	n.reached(ctx, address)
	return nil, nil
}

func (n never) RoundTrip(r *http.Request) (*http.Response, error) {
	n.reached(r.Context(), r.URL.Host)
	return nil, nil
}
