package notify_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/notify"
)

// post posts to a URL and returns the status, or what is wrong.
func post(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(req)
	if err != nil {
		return err.Error()
	}
	answer.Body.Close()
	return fmt.Sprint(answer.StatusCode)
}

func TestClientKeepsToThePolicy(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	t.Cleanup(other.Close)
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	open := notify.NewClient(notify.ClientOptions{Reach: notify.Reach{Allow: here}})
	if got := post(t, open, other.URL); got != "200" {
		t.Error("this machine: ", got)
	}
	if got := post(t, open, other.URL+"/away"); got != "302" {
		t.Error("a redirect: ", got)
	}
	for _, address := range []string{
		"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]", "224.0.0.1", "255.255.255.255", "[fd00:ec2::254]",
	} {
		if got := post(t, open, "http://"+address+"/"); !strings.Contains(got, "nothing is sent to this address") {
			t.Errorf("%s: %s", address, got)
		}
	}
	narrow := notify.NewClient(notify.ClientOptions{Reach: notify.Reach{Allow: here, Deny: here}})
	if got := post(t, narrow, other.URL); !strings.Contains(got, "127.0.0.1 is in 127.0.0.0/8, which webhooks.deny closes: nothing is sent to this address") {
		t.Error("a network that is denied: ", got)
	}
	closed := notify.NewClient(notify.ClientOptions{})
	if got := post(t, closed, other.URL); !strings.Contains(got, "webhooks.allow: nothing is sent to this address") {
		t.Error("this machine, which nobody has opened: ", got)
	}
	own := netip.MustParseAddrPort(strings.TrimPrefix(other.URL, "http://"))
	self := notify.NewClient(notify.ClientOptions{Reach: notify.Reach{
		Allow: here,
		Self:  drydock.Self{Listens: func(to netip.AddrPort) bool { return to == own }, Named: func(host string) bool { return host == "management.test" }},
	}})
	for _, url := range []string{other.URL, "http://Management.test./"} {
		if got := post(t, self, url); !strings.Contains(got, "is this server itself: nothing is sent to this address") {
			t.Error("the server itself: ", got)
		}
	}
}

// The policy is about what a name resolves to.
func TestClientChecksWhatNamesResolveTo(t *testing.T) {
	t.Parallel()
	found, err := (&net.Resolver{}).LookupNetIP(context.Background(), "ip", "localhost")
	if err != nil || len(found) == 0 {
		t.Fatal("this machine does not know localhost: ", err)
	}
	c := notify.NewClient(notify.ClientOptions{Reach: notify.Reach{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, // as which localhost is taken before
		Self:  drydock.Self{Listens: func(to netip.AddrPort) bool { return to.Port() == 1 && to.Addr().IsLoopback() }},
	}})
	if got := post(t, c, "http://localhost:1/"); !strings.Contains(got, "nothing is sent to this address") {
		t.Error(got)
	}
}

// The operator's proxy may be on this machine; what it is asked for may not.
func TestClientWithAProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := notify.NewClient(notify.ClientOptions{Proxy: http.ProxyURL(at)})
	if got := post(t, c, "http://hooks.example/"); got != "418" {
		t.Error(got)
	}
	for _, host := range []string{"127.0.0.1", "１２７.０.０.１", "１６９.２５４.１６９.２５４", "ｌocalhost", "é_.example", "2852039166", "0x7f.1"} {
		for _, scheme := range []string{"http", "https"} {
			if got := post(t, c, scheme+"://"+host+":1/"); !strings.Contains(got, "nothing is sent to this address") {
				t.Errorf("%s %s: %s", scheme, host, got)
			}
		}
	}
}

// Of what answers from inside, nobody gets to read more than the status.
func TestAnswersFromInside(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Internal", "hush-header")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "hush-body")
	}))
	t.Cleanup(inside.Close)
	at, err := url.Parse(inside.URL)
	if err != nil {
		t.Fatal(err)
	}
	here := notify.Reach{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for name, o := range map[string]notify.ClientOptions{
		inside.URL: {Reach: here}, "http://hooks.example/": {Reach: here, Proxy: http.ProxyURL(at)},
	} {
		answer, err := notify.NewClient(o).Post(name, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || len(body) > 0 || answer.StatusCode != http.StatusServiceUnavailable || len(answer.Header) != 1 || answer.Header.Get("Retry-After") != "7" {
			t.Errorf("%s: %s %v %q %v", name, answer.Status, answer.Header, body, err)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"1.2.3.4": true, "2606:4700::1": true, "::ffff:1.2.3.4": true,
		"10.0.0.1": false, "172.16.0.1": false, "192.168.0.1": false, "100.64.0.1": false, "198.18.0.1": false, "127.0.0.1": false, "::1": false,
		"fd12::1": false, "fe80::1": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "fec0::1": false, "224.0.0.1": false,
	} {
		if got := notify.Public(&net.TCPAddr{IP: net.ParseIP(address), Port: 443}); got != want {
			t.Errorf("%s is public: %t", address, got)
		}
	}
	if notify.Public(nil) || notify.Public(&net.UnixAddr{Name: "/x"}) {
		t.Error("what is no address is public")
	}
}
