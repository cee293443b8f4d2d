package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"testing"

	"github.com/drydockhq/drydock/internal/config"
)

// Metrics are for some networks, and by the names of the server: a web page whose
// name resolves to it gets none, from wherever its browser asks.
func TestWhoReadsMetrics(t *testing.T) {
	t.Parallel()
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{
		names:   hostNames{"drydock.example", 8443},
		config:  config.Config{MetricsFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, PublicURL: &url.URL{Scheme: "https", Host: "Ci.Example:444"}},
		metrics: &metrics{handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
	}
	handler := d.ownHandler()
	for _, c := range []struct {
		from, host string
		status     int
	}{
		{"127.0.0.1:9", "127.0.0.1:8443", http.StatusOK},
		{"[::1]:9", "[::1]:8443", http.StatusOK},
		{"[::ffff:127.0.0.1]:9", "[::1]", http.StatusOK},
		{"127.0.0.1:9", "localhost:8443", http.StatusOK},
		{"127.0.0.1:9", "LOCALHOST", http.StatusOK},
		{"127.0.0.1:9", "192.0.2.7:8443", http.StatusOK},
		{"127.0.0.1:9", machine, http.StatusOK},
		{"127.0.0.1:9", "drydock.example:8443", http.StatusOK},
		{"127.0.0.1:9", "management.drydock.example", http.StatusOK},
		{"127.0.0.1:9", "metrics.drydock.example.:8443", http.StatusOK},
		{"127.0.0.1:9", "management.azure.com", http.StatusOK},
		{"127.0.0.1:9", "ci.example:444", http.StatusOK},
		{"127.0.0.1:9", "evil.example:8443", http.StatusMisdirectedRequest},
		{"127.0.0.1:9", "localhost.evil.example", http.StatusMisdirectedRequest},
		{"127.0.0.1:9", "127.0.0.1.evil.example", http.StatusMisdirectedRequest},
		{"127.0.0.1:9", "evildrydock.example", http.StatusMisdirectedRequest},
		{"127.0.0.1:9", "", http.StatusMisdirectedRequest},
		{"192.0.2.9:9", "127.0.0.1:8443", http.StatusForbidden},
		{"192.0.2.9:9", "management.drydock.example", http.StatusForbidden},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.RemoteAddr, r.Host = c.from, c.host
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != c.status {
			t.Errorf("from %s at %q: %d, want %d", c.from, c.host, w.Code, c.status)
		}
	}
}
