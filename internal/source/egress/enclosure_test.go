package egress_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// TestMain lets the test program be one that runs in an enclosure: it connects
// to an address by itself, asks for a URL as others do, or connects as ssh does.
func TestMain(m *testing.M) {
	if len(os.Args) != 3 {
		os.Exit(m.Run())
	}
	var err error
	switch what, to := os.Args[1], os.Args[2]; what {
	case "dial":
		var c net.Conn
		if c, err = net.DialTimeout("tcp", to, 5*time.Second); err == nil {
			c.Close()
		}
	case "get":
		at, _ := url.Parse(os.Getenv("http_proxy"))
		client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		var resp *http.Response
		if resp, err = client.Get(to); err == nil {
			fmt.Print(resp.StatusCode, " ")
			_, err = io.Copy(os.Stdout, resp.Body)
		}
	case "connect":
		err = egress.Connect(context.Background(), os.Getenv(egress.AddressVariable), to, os.Stdin, os.Stdout)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprint(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// enclosed returns an enclosure that ends with the test.
func enclosed(t *testing.T, o egress.Options) *egress.Enclosure {
	t.Helper()
	e, err := network(t, o).Enclose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// run runs the test program in an enclosure.
func run(t *testing.T, e *egress.Enclosure, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	var out, problems bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = e.Environ(), strings.NewReader(stdin), &out, &problems
	if err := e.Start(cmd); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	return out.String(), problems.String(), err
}

func TestEnclosure(t *testing.T) {
	t.Parallel()
	hello := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello from ", r.URL.Path) }
	plain := server(t, hello)
	secure := httptest.NewTLSServer(http.HandlerFunc(hello))
	t.Cleanup(secure.Close)
	open, closed := enclosed(t, egress.Options{Policy: egress.Policy{Allow: loopback}}), enclosed(t, egress.Options{})
	if _, problems, err := run(t, open, "", "dial", plain.Listener.Addr().String()); err == nil {
		t.Error("a program has reached this machine without asking: ", problems)
	}
	for _, address := range []string{plain.URL + "/x", secure.URL + "/x"} {
		if out, problems, err := run(t, open, "", "get", address); err != nil || out != "200 hello from /x" {
			t.Errorf("%s: %q %s %v", address, out, problems, err)
		}
	}
	if err := open.Refused(); err != nil {
		t.Error(err)
	}
	if out, _, err := run(t, closed, "", "get", plain.URL); !strings.HasPrefix(out, "403 runs may not reach 127.0.0.1") {
		t.Errorf("%q %v", out, err)
	}
	if _, problems, err := run(t, closed, "", "get", secure.URL); err == nil || !strings.Contains(problems, "Forbidden") {
		t.Errorf("%s %v", problems, err)
	}
	if err := closed.Refused(); drydock.CodeOf(err) != drydock.Denied {
		t.Error(err)
	}
	if out, _, _ := run(t, open, "", "get", "http://127.0.0.1:1/"); !strings.HasPrefix(out, "502 ") {
		t.Errorf("where nobody listens: %q", out)
	}
}

// A program that speaks to no proxy is helped.
func TestConnect(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { echo.Close() })
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			text, _ := io.ReadAll(c)
			fmt.Fprintf(c, "heard %s", text)
			c.Close()
		}
	}()
	open := enclosed(t, egress.Options{Policy: egress.Policy{Allow: loopback}})
	if out, problems, err := run(t, open, "this", "connect", echo.Addr().String()); err != nil || out != "heard this" {
		t.Errorf("%q %s %v", out, problems, err)
	}
	if _, _, err := run(t, enclosed(t, egress.Options{}), "this", "connect", echo.Addr().String()); err == nil {
		t.Error("it was connected")
	}
	// Through the operator's proxy.
	var seen atomic.Value
	at, err := url.Parse(proxy(t, echo.Addr().String(), &seen).URL)
	if err != nil {
		t.Fatal(err)
	}
	chained := enclosed(t, egress.Options{Proxy: func(*url.URL) (*url.URL, error) { return at, nil }})
	if out, problems, err := run(t, chained, "that", "connect", "git.example:22"); err != nil || out != "heard that" || seen.Load() != "CONNECT git.example:22 " {
		t.Errorf("%q %s %v %v", out, problems, err, seen.Load())
	}
	if _, _, err := run(t, chained, "", "connect", "169.254.169.254:80"); err == nil || drydock.CodeOf(chained.Refused()) != drydock.Denied {
		t.Error(err, chained.Refused())
	}
}

// A proxy that says nothing is not waited for without end.
func TestSilentProxy(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	at := &url.URL{Scheme: "http", Host: silent.Addr().String()}
	e := enclosed(t, egress.Options{Within: 50 * time.Millisecond, Proxy: func(*url.URL) (*url.URL, error) { return at, nil }})
	if _, problems, err := run(t, e, "", "connect", "git.example:443"); err == nil || !strings.Contains(problems, "it did not answer within 50ms") {
		t.Errorf("%s %v", problems, err)
	}
}

// Close ends connections that go on.
func TestCloseEndsConnections(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	e, err := network(t, egress.Options{Policy: egress.Policy{Allow: loopback}}).Enclose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "connect", silent.Addr().String())
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	cmd.Env = e.Environ()
	if err := e.Start(cmd); err != nil {
		t.Fatal(err)
	}
	there, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := there.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	there.Close()
	_ = cmd.Wait() // with an error or without: its connection was cut
}
