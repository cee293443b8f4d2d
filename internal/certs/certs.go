// Package certs makes a server's own certificate authority and its certificate,
// and keeps them fresh.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The lifetimes of certificates. Some clients refuse server certificates of more
// than 398 days.
const (
	authorityFor = 10 * 365 * 24 * time.Hour
	serverFor    = 397 * 24 * time.Hour
	renewBefore  = 60 * 24 * time.Hour
	skew         = time.Hour // by which clocks may differ
)

// Authority is a certificate authority for some domains: its certificate says
// that it may speak for those and this machine only, so that who trusts it for
// Drydock trusts it for nothing else.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

// The files of an authority.
const (
	CertificateFile = "ca.pem"
	keyFile         = "ca-key.pem"
)

// OpenAuthority reads the authority in a folder, or makes one for a domain. One
// for another domain is replaced.
func OpenAuthority(dir, domain string, now time.Time) (*Authority, error) {
	return openAuthority(dir, "Drydock CA for "+domain, []string{domain, "localhost"}, now)
}

// OpenCloudAuthority is OpenAuthority for the names of Azure's clouds. Its
// certificate is for those who talk to Drydock by these names, as the Azure CLI
// behind the proxy and the steps of runs do, and never for all of a machine: who
// trusts it can't tell Drydock from Azure.
func OpenCloudAuthority(dir string, now time.Time) (*Authority, error) {
	var domains []string
	for _, host := range CloudNames() {
		domains = append(domains, strings.TrimPrefix(host, "*."))
	}
	return openAuthority(dir, "Drydock CA for the names of Azure's clouds", domains, now)
}

func openAuthority(dir, name string, domains []string, now time.Time) (*Authority, error) {
	a, err := readAuthority(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the certificate authority: %w", err)
	}
	if err == nil && a.isFor(domains) && now.Before(a.certificate.NotAfter.Add(-serverFor)) {
		return a, nil
	}
	if a, err = newAuthority(name, domains, now); err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	if err := a.write(dir); err != nil {
		return nil, fmt.Errorf("storing the certificate authority: %w", err)
	}
	return a, nil
}

// PEM returns the authority's certificate.
func (a *Authority) PEM() []byte { return a.pem }

func (a *Authority) isFor(domains []string) bool {
	return slices.Equal(a.certificate.PermittedDNSDomains, domains)
}

func newAuthority(name string, domains []string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name, Organization: []string{"Drydock"}},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(authorityFor),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,

		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         domains,
		PermittedIPRanges:           loopback(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{certificate, key, encode("CERTIFICATE", der)}, nil
}

func loopback() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
}

func readAuthority(dir string) (*Authority, error) {
	text, err := os.ReadFile(filepath.Join(dir, CertificateFile))
	if err != nil {
		return nil, err
	}
	secret, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	keyBlock, _ := pem.Decode(secret)
	if block == nil || keyBlock == nil {
		return nil, fmt.Errorf("%s and %s in %s are not in PEM form", CertificateFile, keyFile, dir)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	return &Authority{certificate, key, text}, nil
}

// write stores the key before the certificate: one without the other counts as
// none.
func (a *Authority) write(dir string) error {
	der, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(dir, keyFile), encode("EC PRIVATE KEY", der), 0o600); err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, CertificateFile), a.pem, 0o644)
}

func replaceFile(path string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(path+".new", text, mode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
}
