package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Names are the hosts of a server in a domain, with wildcards.
func Names(domain string) []string {
	return []string{
		domain, "*." + domain, "*.azurecr." + domain, "*.vault." + domain, "*.blob." + domain,
		"localhost",
	}
}

// CloudNames are the hosts of Azure's clouds, with wildcards.
func CloudNames() []string {
	var names []string
	for _, c := range drydock.AzureClouds() {
		names = append(names, c.Hosts()...)
	}
	return names
}

// ForClouds returns what gives out the certificate that a client asks for: that of
// clouds by their names, and that of own by all others.
func ForClouds(own, clouds *Source) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if _, _, _, ok := drydock.AzureHost(hello.ServerName); ok {
			return clouds.Certificate(hello)
		}
		return own.Certificate(hello)
	}
}

// Source gives out a server's certificate. Its methods may be called from
// several goroutines.
type Source struct {
	now   func() time.Time
	fresh func(now time.Time) (*tls.Certificate, time.Time, error)

	mu      sync.Mutex
	current *tls.Certificate
	until   time.Time // when it is to be looked at again
}

// FromAuthority returns a source of certificates that the authority signs. They
// are made when they are needed and kept in memory only.
func FromAuthority(a *Authority, domain string, now func() time.Time) *Source {
	return fromAuthority(a, Names(domain), now)
}

// FromCloudAuthority is FromAuthority for the names of Azure's clouds.
func FromCloudAuthority(a *Authority, now func() time.Time) *Source {
	return fromAuthority(a, CloudNames(), now)
}

func fromAuthority(a *Authority, names []string, now func() time.Time) *Source {
	return &Source{now: now, fresh: func(at time.Time) (*tls.Certificate, time.Time, error) {
		c, err := a.sign(names, at)
		return c, at.Add(serverFor - renewBefore), err
	}}
}

// FromFiles returns a source of the certificate in two PEM files. They are read
// again when they change.
func FromFiles(certificate, key string, now func() time.Time) (*Source, error) {
	var read time.Time
	s := &Source{now: now}
	s.fresh = func(at time.Time) (*tls.Certificate, time.Time, error) {
		again := at.Add(10 * time.Second)
		changed, err := newest(certificate, key)
		if err == nil && s.current != nil && changed.Equal(read) {
			return s.current, again, nil
		}
		c, loadErr := tls.LoadX509KeyPair(certificate, key)
		if err == nil {
			err = loadErr
		}
		if err != nil && s.current != nil {
			return s.current, again, nil // they are being replaced
		}
		if err != nil {
			return nil, again, fmt.Errorf("reading the certificate %s: %w", certificate, err)
		}
		read = changed
		return &c, again, nil
	}
	_, err := s.Certificate(nil)
	return s, err
}

func newest(files ...string) (time.Time, error) {
	var at time.Time
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return at, err
		}
		if info.ModTime().After(at) {
			at = info.ModTime()
		}
	}
	return at, nil
}

// Certificate returns the present one; it is a tls.Config's GetCertificate.
func (s *Source) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.current != nil && now.Before(s.until) && now.After(s.until.Add(-serverFor)) {
		return s.current, nil
	}
	c, until, err := s.fresh(now)
	if err != nil {
		return nil, err
	}
	s.current, s.until = c, until
	return c, nil
}

// sign returns a certificate for a server with the given names on this machine.
func (a *Authority) sign(names []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[0], Organization: []string{"Drydock"}},
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(serverFor),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}
