package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/runner"
	"github.com/drydockhq/drydock/internal/source"
)

// fetcher is package source as the runner wants it.
type fetcher struct{ *source.Fetcher }

var _ runner.Fetcher = fetcher{}

// fetcher returns what fetches the source of a run. The credentials are
// stronger than those of the options.
func (p *program) fetcher(o engineOptions, creds []drydock.Credential, log func(string, ...any)) fetcher {
	keychain := credentials.Chain(credentials.Static("--credential", creds...), o.keychain)
	return fetcher{&source.Fetcher{
		HTTP:      o.httpClient(),
		Keychain:  keychain,
		Stdin:     p.stdin,
		Env:       p.environ,
		Log:       log,
		PlainHTTP: func(host string) bool { return slices.Contains(o.insecure, host) },
		CAs:       o.cas, Insecure: o.insecure,
	}}
}

// Fetch implements runner.Fetcher.
func (f fetcher) Fetch(ctx context.Context, source string) (*runner.Checkout, error) {
	fetched, err := f.Fetcher.Fetch(ctx, source)
	if err != nil {
		return nil, err
	}
	own, err := filepath.Abs(source)
	return &runner.Checkout{
		Dir: fetched.Dir, Commit: fetched.Commit, Branch: fetched.Branch,
		Local: err == nil && own == fetched.Dir,
		Close: fetched.Close,
	}, nil
}

// httpClient returns a client that trusts the certificates given for all hosts
// too; nil when there are none.
func (o *engineOptions) httpClient() *http.Client {
	if len(o.cas[""]) == 0 {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(o.cas[""])
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	return &http.Client{Transport: transport}
}

// keychain returns the credentials of the user's Docker configuration.
func (p *program) keychain() (credentials.Keychain, error) {
	return credentials.DockerConfig(credentials.Environment{Env: p.environ, EUID: p.euid})
}
