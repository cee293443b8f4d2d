package main

import (
	"net/http"
	"testing"

	"github.com/drydockhq/drydock/internal/config"
)

// Other registries are reached as the configuration says, and not waited for
// without end.
func TestImportTransport(t *testing.T) {
	t.Parallel()
	c, _, err := config.Load(config.Sources{Flags: map[string][]string{
		"registries-insecure": {"plain.example"}, "proxy-https": {"http://proxy.example:3128"}, "proxy-except": {".internal"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{config: c}
	for host, insecure := range map[string]bool{"plain.example": true, "other.example": false} {
		transport, ok := d.transport(host).(*http.Transport)
		if !ok || transport.ResponseHeaderTimeout <= 0 {
			t.Fatalf("%s: %+v", host, transport)
		}
		if got := transport.TLSClientConfig != nil && transport.TLSClientConfig.InsecureSkipVerify; got != insecure {
			t.Errorf("certificates of %s are not looked at: %t", host, got)
		}
		for address, want := range map[string]string{"https://" + host: "http://proxy.example:3128", "https://x.internal": "<nil>"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			proxy, err := transport.Proxy(r)
			if got := "<nil>"; proxy != nil {
				got = proxy.String()
				if err != nil || got != want {
					t.Errorf("%s goes through %s: %v", address, got, err)
				}
			} else if want != got {
				t.Errorf("%s goes through no proxy", address)
			}
		}
	}
}
