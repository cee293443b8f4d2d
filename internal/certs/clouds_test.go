package certs_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/certs"
)

// The two authorities speak for their own names only, and a client gets the
// certificate of the name that it asks for.
func TestCloudAuthority(t *testing.T) {
	t.Parallel()
	now := time.Now()
	clock := func() time.Time { return now }
	own, err := certs.OpenAuthority(t.TempDir(), "drydock.test", now)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	clouds, err := certs.OpenCloudAuthority(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := certs.OpenCloudAuthority(dir, now); err != nil || string(again.PEM()) != string(clouds.PEM()) {
		t.Error("another authority at the second start:", err)
	}
	give := certs.ForClouds(certs.FromAuthority(own, "drydock.test", clock), certs.FromCloudAuthority(clouds, clock))
	for host, ofCloud := range map[string]bool{
		"management.chinacloudapi.cn": true, "login.microsoftonline.com": true, "contoso.azurecr.cn": true, "v.vault.azure.net": true,
		"drydock.blob.core.windows.net": true, "management.drydock.test": false, "contoso.azurecr.drydock.test": false, "localhost": false,
	} {
		c, err := give(&tls.ClientHelloInfo{ServerName: host})
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, clouds.PEM(), c, host, now); (err == nil) != ofCloud {
			t.Errorf("by the authority of clouds, %s: %v", host, err)
		}
		if err := verify(t, own.PEM(), c, host, now); (err == nil) == ofCloud {
			t.Errorf("by the server's own, %s: %v", host, err)
		}
	}
	c, err := give(&tls.ClientHelloInfo{ServerName: "management.azure.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"example.com", "www.azure.com", "a.b.azurecr.io"} {
		if err := verify(t, clouds.PEM(), c, host, now); err == nil {
			t.Error("the certificate is for", host, "too")
		}
	}
}
