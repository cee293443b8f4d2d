package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
)

// Registries are looked for where runs may pull from, but not at the server
// itself or at what hands out credentials.
func TestDialRegistry(t *testing.T) {
	t.Parallel()
	c, _, err := config.Load(config.Sources{Flags: map[string][]string{"proxy-https": {"http://169.254.0.1:3128"}}})
	if err != nil {
		t.Fatal(err)
	}
	own, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close() })
	registry := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(registry.Close)
	_, port, _ := net.SplitHostPort(own.Addr().String())
	d := &daemon{config: c, listener: own, names: hostNames{domain: "drydock.test", port: 8443}}
	for address, denied := range map[string]bool{
		own.Addr().String():                 true,
		"localhost:" + port:                 true,
		"[::ffff:127.0.0.1]:" + port:        true,
		"169.254.169.254:80":                true,
		"[fd00:ec2::254]:80":                true,
		registry.Listener.Addr().String():   false,
		"contoso.azurecr.drydock.test:8443": false, // its own registry, whose name need not resolve
	} {
		conn, err := d.dialRegistry(t.Context(), "tcp", address)
		if err == nil {
			conn.Close()
		}
		if !denied && err != nil || denied && drydock.CodeOf(err) != drydock.Denied {
			t.Errorf("%s: %v", address, err)
		}
	}
	if !d.isProxy("169.254.0.1:3128") || d.isProxy("169.254.0.1:80") {
		t.Error("the operator's proxy is not known")
	}
	answer, err := (&http.Client{Transport: d.transport("other.example")}).Get("http://" + own.Addr().String() + "/v2/")
	if err == nil {
		answer.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "it is this server itself") {
		t.Errorf("polls: %v", err)
	}
}
