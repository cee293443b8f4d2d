package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/drydockhq/drydock/internal/auth"
)

// provider returns who elsewhere vouches for people; nil for nobody.
func (d *daemon) provider() *auth.Provider {
	o := d.config.OIDC
	if o.Issuer == "" {
		return nil
	}
	return &auth.Provider{
		Title: o.Name, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Audiences: o.Audiences,
		UsernameClaim: o.UsernameClaim, GroupsClaim: o.GroupsClaim, Scopes: o.Scopes,
		Client: d.providerClient(), Now: d.now,
	}
}

// providerClient reaches the provider, which is the operator's choice: wherever
// it is.
func (d *daemon) providerClient() *http.Client {
	var roots *x509.CertPool
	if pem := d.config.OIDC.CA; pem != nil {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM(pem)
	}
	proxy := httpproxy.FromEnvironment().ProxyFunc()
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		Proxy:               func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
	}}
}
