package certs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/certs"
)

func verify(t *testing.T, ca []byte, c *tls.Certificate, host string, at time.Time) error {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate in", string(ca))
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, CurrentTime: at})
	return err
}

func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "certs")
	now := time.Now()
	a, err := certs.OpenAuthority(dir, "drydock.test", now)
	if err != nil {
		t.Fatal(err)
	}
	clock := now
	source := certs.FromAuthority(a, "drydock.test", func() time.Time { return clock })
	first, err := source.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{
		"drydock.test", "management.drydock.test", "login.drydock.test", "contoso.azurecr.drydock.test",
		"v.vault.drydock.test", "a.blob.drydock.test", "localhost", "127.0.0.1", "::1",
	} {
		if err := verify(t, a.PEM(), first, host, now); err != nil {
			t.Error(host, err)
		}
	}
	if err := verify(t, a.PEM(), first, "example.com", now); err == nil {
		t.Error("the certificate is for another domain too")
	}
	again, err := certs.OpenAuthority(dir, "drydock.test", now)
	if err != nil || !bytes.Equal(again.PEM(), a.PEM()) {
		t.Error("another authority at the second start:", err)
	}
	clock = now.Add(360 * 24 * time.Hour)
	if renewed, err := source.Certificate(nil); err != nil || renewed == first || verify(t, a.PEM(), renewed, "drydock.test", clock.Add(50*24*time.Hour)) != nil {
		t.Error("the certificate was not renewed:", err)
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}

func TestAuthorityIsReplacedForAnotherDomainAndInTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	a, err := certs.OpenAuthority(dir, "a.test", now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := certs.OpenAuthority(dir, "b.test", now)
	if err != nil || bytes.Equal(a.PEM(), b.PEM()) {
		t.Error("one authority for two domains:", err)
	}
	c, err := certs.OpenAuthority(dir, "b.test", now.Add(9*365*24*time.Hour))
	if err != nil || bytes.Equal(b.PEM(), c.PEM()) {
		t.Error("an authority that ends before its certificates:", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certs.OpenAuthority(dir, "b.test", now); err == nil {
		t.Error("a damaged authority was replaced: nobody would know why nothing is trusted any more")
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	certificate, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if _, err := certs.FromFiles(certificate, key, time.Now); err == nil {
		t.Error("files that are not there")
	}
	write := func(domain string, modified time.Time) {
		a, err := certs.OpenAuthority(t.TempDir(), domain, now)
		if err != nil {
			t.Fatal(err)
		}
		c, err := certs.FromAuthority(a, domain, time.Now).Certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalECPrivateKey(c.PrivateKey.(*ecdsa.PrivateKey))
		if err != nil {
			t.Fatal(err)
		}
		for name, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, key: {Type: "EC PRIVATE KEY", Bytes: der}} {
			if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, modified, modified); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("a.test", now.Add(-time.Hour))
	clock := now
	source, err := certs.FromFiles(certificate, key, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	write("b.test", now)
	for _, want := range []string{"a.test", "b.test", "b.test"} {
		c, err := source.Certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil || leaf.Subject.CommonName != want {
			t.Errorf("%s instead of %s, %v", leaf.Subject.CommonName, want, err)
		}
		clock = clock.Add(time.Minute)
		if want == "b.test" {
			if err := os.WriteFile(key, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
