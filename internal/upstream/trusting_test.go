package upstream_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
)

// trusting reaches those whose certificates a CA has signed.
func trusting(t *testing.T, ca []byte) http.RoundTripper {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}
