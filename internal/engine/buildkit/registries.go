package buildkit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// Registries says how registries are reached. Registries on loopback are asked
// in plain HTTP unless there is a CA for them, all others in HTTPS; HTTP_PROXY, HTTPS_PROXY and NO_PROXY
// count.
type Registries struct {
	// Mirrors are asked before the registry itself, in order: base URLs by
	// registry host. Docker Hub's host is docker.io.
	Mirrors map[string][]*url.URL
	// CAs hold PEM certificates that are trusted beside the system's, by
	// registry host; those under "" for all.
	CAs map[string][]byte
	// Insecure are hosts that may answer in plain HTTP, or in HTTPS with a
	// certificate that nobody checks.
	Insecure []string
	// Local returns the network address of a host that this machine serves
	// itself: its name need not resolve, and no proxy is asked. The host has its
	// port unless that is 443. It may be nil.
	Local func(host string) (address string, ok bool)
	// Dial connects to what is not Local; nil for a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// remoteAs returns the registries as they are seen with logins, real ones of
// Azure's if wanted.
func (e *Executor) remoteAs(l *logins, real bool) *remote {
	r := &remote{registries: e.config.Registries, clients: e.clients, logins: l, advice: e.config.Advice}
	if real && e.config.RealRegistries != nil {
		r.registries, r.clients = *e.config.RealRegistries, e.real
	}
	return r
}

// hubHost is where Docker Hub's registry answers.
const hubHost = "registry-1.docker.io"

// anonymousHosts returns the hosts to ask for a registry, without credentials.
func (r Registries) anonymousHosts(clients *clientCache) docker.RegistryHosts {
	return func(host string) ([]docker.RegistryHost, error) {
		var hosts []docker.RegistryHost
		for _, mirror := range r.Mirrors[host] {
			client, err := clients.get(mirror.Host)
			if err != nil {
				return nil, err
			}
			hosts = append(hosts, docker.RegistryHost{
				Client:       client,
				Host:         mirror.Host,
				Scheme:       mirror.Scheme,
				Path:         path.Join("/v2", mirror.Path),
				Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve,
			})
		}
		name := host
		if host == "docker.io" {
			name = hubHost
		}
		client, err := clients.get(name)
		if err != nil {
			return nil, err
		}
		return append(hosts, docker.RegistryHost{
			Client:       client,
			Host:         name,
			Scheme:       r.scheme(name),
			Path:         "/v2",
			Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve | docker.HostCapabilityPush,
		}), nil
	}
}

// authorizedHosts is anonymousHosts with an authorizer.
func (r Registries) authorizedHosts(clients *clientCache, creds func(host string) (user, secret string, err error)) docker.RegistryHosts {
	anonymous := r.anonymousHosts(clients)
	authorizers := newAuthorizerCache(creds)
	return func(host string) ([]docker.RegistryHost, error) {
		hosts, err := anonymous(host)
		if err != nil {
			return nil, err
		}
		for i := range hosts {
			hosts[i].Authorizer = authorizers.get(hosts[i].Host, hosts[i].Client)
		}
		return hosts, nil
	}
}

func (r Registries) scheme(host string) string {
	local, err := docker.MatchLocalhost(host)
	switch {
	case slices.Contains(r.Insecure, host):
		return "http"
	case err == nil && local && len(r.CAs[host]) == 0:
		return "http"
	}
	return "https"
}

// client returns an HTTP client that trusts what is configured for host.
func (r Registries) client(host string) (*http.Client, error) {
	config, err := r.tlsConfig(host)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                 r.proxy,
		DialContext:           r.dial,
		MaxIdleConns:          30,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       120 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: 5 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute,
		TLSClientConfig:       config,
		// Without HTTP/2, whose flow control in net/http slows pushes down.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if !slices.Contains(r.Insecure, host) {
		return &http.Client{Transport: transport}, nil
	}
	return &http.Client{Transport: &eitherScheme{next: transport}}, nil
}

func (r Registries) proxy(req *http.Request) (*url.URL, error) {
	if _, ok := r.local(req.URL.Host); ok {
		return nil, nil
	}
	return http.ProxyFromEnvironment(req)
}

func (r Registries) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 60 * time.Second}
	if local, ok := r.local(address); ok {
		return dialer.DialContext(ctx, network, local)
	}
	if r.Dial != nil {
		return r.Dial(ctx, network, address)
	}
	return dialer.DialContext(ctx, network, address)
}

// local is Local for hosts without a port too; those are asked on HTTPS's.
func (r Registries) local(host string) (address string, ok bool) {
	if r.Local == nil {
		return "", false
	}
	return r.Local(strings.TrimSuffix(host, ":443"))
}

func (r Registries) tlsConfig(host string) (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: slices.Contains(r.Insecure, host)}
	if len(r.CAs[""]) == 0 && len(r.CAs[host]) == 0 {
		return config, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, key := range []string{"", host} {
		if pem := r.CAs[key]; len(pem) > 0 && !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the CA certificates for %q: no PEM certificate in them", key)
		}
	}
	config.RootCAs = pool
	return config, nil
}
