package source_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

// azureRepos serves a repository at the addresses that Azure Repos has for it,
// old and new, to those who have the token. It returns the environment in which
// they lead there.
func azureRepos(t *testing.T, r *repo, token string) (env []string) {
	t.Helper()
	handler := r.handler()
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if _, p, _ := q.BasicAuth(); p != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="https://dev.azure.com/"`)
			http.Error(w, "sign in", http.StatusUnauthorized)
			return
		}
		folder := map[string]string{
			"dev.azure.com": "/octo/My Project/_git/app/", "octo.visualstudio.com": "/My Project/_git/app/",
			"tfs.corp.example": "/tfs/Collection/My Project/_git/app/",
		}[q.Host]
		path, ok := strings.CutPrefix(q.URL.Path, folder)
		if folder == "" || !ok {
			http.NotFound(w, q)
			return
		}
		q.URL.Path = "/" + filepath.Base(r.dir) + "/" + path
		handler.ServeHTTP(w, q)
	}))
	certificate, ca := certificateFor(t, "dev.azure.com", "octo.visualstudio.com", "tfs.corp.example")
	site.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	site.StartTLS()
	t.Cleanup(site.Close)
	return []string{
		"PATH=" + os.Getenv("PATH"), "HTTPS_PROXY=" + proxyTo(t, site.Listener.Addr().String()), "SSL_CERT_FILE=" + ca,
	}
}

// certificateFor makes a certificate that is its own authority, and a file of it.
func certificateFor(t *testing.T, names ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(t.TempDir(), "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// proxyTo starts a proxy that leads to one address, whatever it is asked for.
func proxyTo(t *testing.T, address string) string {
	t.Helper()
	var copies sync.WaitGroup
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodConnect || !strings.HasSuffix(q.Host, ":443") {
			http.Error(w, "not through here", http.StatusMethodNotAllowed)
			return
		}
		to, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		w.WriteHeader(http.StatusOK)
		from, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		for _, way := range [][2]net.Conn{{to, from}, {from, to}} {
			copies.Go(func() {
				_, _ = io.Copy(way[0], way[1]) // until one of them hangs up
				way[0].Close()
			})
		}
	}))
	t.Cleanup(func() { proxy.Close(); copies.Wait() })
	return proxy.URL
}

// The contexts that ACR's documentation names, and those of the host's own pages.
func TestAzureRepos(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	const token = "azure-t0ken"
	env := azureRepos(t, h.repo, token)
	f := newFetcher(t)
	f.Env = env
	const address = "https://dev.azure.com/octo/My%20Project/_git/app"
	if e := f.refused(address, "asking "+address); e.Code != drydock.Denied {
		t.Errorf("%+v", e)
	}
	f.Token = func(_ context.Context, host string) (string, string, error) {
		if host != "dev.azure.com" && host != "octo.visualstudio.com" && host != "tfs.corp.example" {
			t.Errorf("asked for the token of %s", host)
		}
		return "", token, nil
	}
	for spec, want := range map[string]string{
		address:                 h.second,
		address + "#main":       h.second,
		address + "#feature/x":  h.feature,
		address + "#main:app":   h.second,
		address + "#" + h.first: h.first,
		address + "/#main:.":    h.second,
		"https://octo@dev.azure.com/octo/My%20Project/_git/app#v1.0": h.first,
		"https://octo.visualstudio.com/My%20Project/_git/app#main":   h.second,

		"https://tfs.corp.example/tfs/Collection/My%20Project/_git/app#main:app": h.second,
		"https://tfs.corp.example/tfs/Collection/My%20Project/_git/app":          h.second,
	} {
		if got := f.fetch(spec); got.Commit != want {
			t.Errorf("%s is at %s, not %s", spec, got.Commit, want)
		}
	}
	refs, err := f.Refs(t.Context(), address, "refs/heads/*")
	if err != nil || refs.Commits["refs/heads/feature/x"] != h.feature || refs.Default != "refs/heads/main" {
		t.Errorf("%+v, %v", refs, err)
	}
	if f.logged(token) {
		t.Errorf("the log holds the token: %q", f.log)
	}
	f.Token = nil
	if got := f.fetch("https://octo:" + token + "@dev.azure.com/octo/My%20Project/_git/app"); got.Commit != h.second {
		t.Errorf("it is at %s", got.Commit)
	}
}
