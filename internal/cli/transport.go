package cli

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// authorityFiles are variables with the name of a file of certificates to
// trust. The second is the one that scripts set for the Azure CLI.
var authorityFiles = []string{"DRYDOCK_CA_FILE", "REQUESTS_CA_BUNDLE"}

// httpClient returns what reaches all hosts of a cloud.
func (a *app) httpClient(cloud profile.Cloud) (*http.Client, error) {
	roots, err := a.trusted(cloud)
	if err != nil {
		return nil, err
	}
	dial := &dialer{Dialer: net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}}
	if u, err := url.Parse(cloud.ResourceManager); err == nil {
		dial.home, dial.suffixes = u.Hostname(), suffixesOf(cloud, u)
	}
	proxy := a.proxy()
	return &http.Client{Transport: &http.Transport{
		Proxy:                 func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		DialContext:           dial.dial,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
	}}, nil
}

// trusted returns the authorities to trust: nil for those of the system alone.
func (a *app) trusted(cloud profile.Cloud) (*x509.CertPool, error) {
	texts := [][]byte{[]byte(cloud.Authorities)}
	for _, name := range authorityFiles {
		file := a.getenv(name)
		if file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "reading the certificates that $%s names: %w", name, err)
		}
		texts = append(texts, text)
	}
	var roots *x509.CertPool
	for _, text := range texts {
		if len(text) == 0 {
			continue
		}
		if roots == nil {
			var err error
			if roots, err = x509.SystemCertPool(); err != nil {
				roots = x509.NewCertPool()
			}
		}
		if !roots.AppendCertsFromPEM(text) {
			return nil, drydock.Errorf(drydock.Invalid, "a file of certificates to trust has none in PEM form")
		}
	}
	return roots, nil
}

func (a *app) proxy() func(*url.URL) (*url.URL, error) {
	either := func(name string) string {
		if value := a.getenv(name); value != "" {
			return value
		}
		return a.getenv(strings.ToLower(name))
	}
	return (&httpproxy.Config{
		HTTPProxy: either("HTTP_PROXY"), HTTPSProxy: either("HTTPS_PROXY"), NoProxy: either("NO_PROXY"),
	}).ProxyFunc()
}
