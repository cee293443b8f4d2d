package main

import (
	"bytes"
	"crypto/tls"
	"os"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/certs"
)

// openCertificate returns what gives out the server's certificates: that of its
// own domain, and by the names of Azure's clouds always one of its own making.
func (d *daemon) openCertificate() (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	own, err := d.ownCertificate()
	if err != nil {
		return nil, err
	}
	a, err := certs.OpenCloudAuthority(d.path(cloudCertsFolder), d.now())
	if err != nil {
		return nil, err
	}
	d.ownPEM = append(append(bytes.Clone(d.ownPEM), '\n'), a.PEM()...)
	if err := d.writeBundle(); err != nil {
		return nil, err
	}
	return certs.ForClouds(own, certs.FromCloudAuthority(a, d.now)), nil
}

// ownCertificate returns the source of the certificate of the server's domain.
func (d *daemon) ownCertificate() (*certs.Source, error) {
	if d.config.Certificate != "" {
		s, err := certs.FromFiles(d.config.Certificate, d.config.Key, d.now)
		if err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "%w", err)
		}
		// Runs reach the server by its own names, whoever signed the certificate.
		if d.ownPEM, err = os.ReadFile(d.config.Certificate); err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "reading the certificate: %w", err)
		}
		return s, nil
	}
	a, err := certs.OpenAuthority(d.path(certsFolder), d.names.domain, d.now())
	if err != nil {
		return nil, err
	}
	d.caPEM, d.ownPEM = a.PEM(), a.PEM()
	return certs.FromAuthority(a, d.names.domain, d.now), nil
}
