package buildkit_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// proxy reaches registries on loopback under other names, in plain HTTP and
// through tunnels.
type proxy struct {
	registries map[string]*registry.Registry // by host
	plain      httputil.ReverseProxy

	mu    sync.Mutex
	asked []string // "METHOD host"
}

func newProxy(registries map[string]*registry.Registry) *proxy {
	p := &proxy{registries: registries}
	p.plain.Rewrite = func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", registries[r.In.Host].Host
		r.Out.Host = r.In.Host
	}
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := strings.TrimSuffix(r.Host, ":443")
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+host)
	p.mu.Unlock()
	reg, ok := p.registries[host]
	switch {
	case !ok:
		http.Error(w, "no such host", http.StatusBadGateway)
	case r.Method == http.MethodConnect:
		tunnel(w, reg.Host)
	default:
		p.plain.ServeHTTP(w, r)
	}
}

// tunnel joins the client of a CONNECT to an address until either hangs up.
func tunnel(w http.ResponseWriter, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	var wait sync.WaitGroup
	wait.Go(func() { _, _ = io.Copy(server, buffered); server.Close() })
	_, _ = io.Copy(client, server)
	client.Close()
	wait.Wait()
}

// startTLS starts a registry with a CA and a name of its own.
func startTLS(t *testing.T, name string) *registry.Registry {
	t.Helper()
	reg := registry.Start(t, registry.Options{TLS: true, Names: []string{name}})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(reg.CA)
	store, err := images.Default()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(client.CloseIdleConnections)
	if err := store.Push(t.Context(), reg.Host, []string{"busybox"}, remote.WithTransport(client)); err != nil {
		t.Fatalf("pushing base images: %v", err)
	}
	return reg
}

// proxyTestDir names a folder with the CAs for the part of TestProxy that runs
// in a process of its own: a process reads the environment of proxies once.
const proxyTestDir = "DRYDOCK_TEST_PROXY"

// TestProxy reaches registries over HTTP_PROXY and HTTPS_PROXY, which also gives
// them names that are not loopback: with CAs, as insecure ones, and refused.
func TestProxy(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(proxyTestDir); dir != "" {
		testBehindProxy(t, dir)
		return
	}
	registries := map[string]*registry.Registry{
		"known.example": startTLS(t, "known.example"),
		"other.example": startTLS(t, "other.example"),
		"plain.example": newRegistry(t, registry.Options{}, "busybox"),
	}
	dir := t.TempDir()
	for name, reg := range registries {
		if err := os.WriteFile(filepath.Join(dir, name), reg.CA, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := newProxy(registries)
	server := httptest.NewServer(p)
	defer server.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$", "-test.v")
	cmd.Env = append(os.Environ(), proxyTestDir+"="+dir, "HTTP_PROXY="+server.URL, "HTTPS_PROXY="+server.URL, "NO_PROXY=direct.invalid",
		"http_proxy=", "https_proxy=", "no_proxy=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, want := range []string{"CONNECT known.example", "CONNECT other.example", "HEAD plain.example"} {
		if !slices.Contains(p.asked, want) {
			t.Errorf("the proxy was not asked for %s", want)
		}
	}
	for _, asked := range p.asked {
		if strings.HasSuffix(asked, "direct.invalid") || asked == "GET known.example" {
			t.Errorf("the proxy was asked for %s", asked)
		}
	}
	for name, reg := range registries {
		if digest, err := reg.Digest("app"); err != nil || digest == "" {
			t.Errorf("nothing was pushed to %s: %v", name, err)
		}
	}
}

func testBehindProxy(t *testing.T, dir string) {
	ca := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	run := func(host string, config buildkit.Registries) *testRun {
		return openRun(t, newExecutor(t, buildkit.Config{Registries: config}), "-- Dockerfile --\nFROM "+host+"/busybox\nRUN true\n")
	}
	for _, test := range []struct {
		host   string
		config buildkit.Registries
	}{
		{"known.example", buildkit.Registries{CAs: map[string][]byte{"known.example": ca("known.example")}}},
		{"known.example", buildkit.Registries{CAs: map[string][]byte{"": ca("known.example"), "other.example": ca("other.example")}}},
		{"other.example", buildkit.Registries{CAs: map[string][]byte{"": ca("known.example"), "other.example": ca("other.example")}}},
		{"other.example", buildkit.Registries{Insecure: []string{"other.example"}}},
		{"plain.example", buildkit.Registries{Insecure: []string{"plain.example"}}},
	} {
		r := run(test.host, test.config)
		r.build("-t", test.host+"/app", "--cache-to", "type=registry,ref="+test.host+"/app:cache", ".")
		r.push(test.host + "/app")
		r.run(test.host+"/busybox", "true")
	}
	onlyKnown := buildkit.Registries{CAs: map[string][]byte{"known.example": ca("known.example")}}
	wantError(t, run("other.example", onlyKnown).buildError("."), drydock.Unavailable, "Dockerfile:1", "certificate", "--ca other.example=FILE")
	wantError(t, run("plain.example", onlyKnown).buildError("."), drydock.Unavailable, "plain.example", "--insecure-registry plain.example")
	wantError(t, run("direct.invalid", onlyKnown).buildError("."), drydock.Unavailable, "direct.invalid", "no such host")
}
