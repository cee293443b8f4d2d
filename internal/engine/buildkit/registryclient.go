package buildkit

import (
	"net/http"
	"sync"

	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// clientCache keeps one HTTP client, and with it its connections, a host: for
// all runs, since connections know of no credentials.
type clientCache struct {
	registries Registries
	mu         sync.Mutex
	clients    map[string]*http.Client
}

func newClientCache(r Registries) *clientCache {
	return &clientCache{registries: r, clients: map[string]*http.Client{}}
}

func (c *clientCache) get(host string) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients[host]; ok {
		return client, nil
	}
	client, err := c.registries.client(host)
	if err != nil {
		return nil, err
	}
	c.clients[host] = client
	return client, nil
}

// Close closes the connections that nobody uses.
func (c *clientCache) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, client := range c.clients {
		client.CloseIdleConnections()
	}
}

// authorizerCache keeps one authorizer, and with it its tokens, a host.
type authorizerCache struct {
	creds       func(host string) (user, secret string, err error)
	mu          sync.Mutex
	authorizers map[string]docker.Authorizer
}

func newAuthorizerCache(creds func(string) (string, string, error)) *authorizerCache {
	return &authorizerCache{creds: creds, authorizers: map[string]docker.Authorizer{}}
}

func (c *authorizerCache) get(host string, client *http.Client) docker.Authorizer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.authorizers[host]; ok {
		return a
	}
	a := docker.NewDockerAuthorizer(docker.WithAuthClient(client), docker.WithAuthCreds(c.creds))
	c.authorizers[host] = a
	return a
}

// eitherScheme speaks HTTPS to a host that answers plain HTTP with an HTTPS
// server's "wrong scheme", and remembers.
type eitherScheme struct {
	next http.RoundTripper

	mu    sync.Mutex
	https map[string]bool
}

// RoundTrip sends the request in plain HTTP first and, where that host does not
// speak it, in HTTPS.
func (e *eitherScheme) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "http" {
		return e.next.RoundTrip(req)
	}
	if e.prefersHTTPS(req.URL.Host) {
		return e.next.RoundTrip(asHTTPS(req))
	}
	resp, err := e.next.RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusBadRequest {
		return resp, nil
	}
	if req.Body != nil && req.Body != http.NoBody {
		return resp, err // the body is gone; a HEAD or GET always comes first
	}
	secure, secureErr := e.next.RoundTrip(asHTTPS(req))
	if secureErr != nil {
		return resp, err
	}
	if resp != nil {
		resp.Body.Close()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.https == nil {
		e.https = map[string]bool{}
	}
	e.https[req.URL.Host] = true
	return secure, nil
}

func (e *eitherScheme) prefersHTTPS(host string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.https[host]
}

func asHTTPS(req *http.Request) *http.Request {
	clone := req.Clone(req.Context())
	clone.URL.Scheme = "https"
	return clone
}
