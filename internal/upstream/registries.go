package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/drydockhq/drydock"
)

// Registries asks registries over the network, as runs would: mirrors first. Its
// fields are set before its first use. Its methods may be called from several
// goroutines.
type Registries struct {
	// Mirrors are asked before the registry itself, in order: base URLs by
	// registry host.
	Mirrors map[string][]*url.URL
	// Insecure are hosts that may answer in plain HTTP; nil for none. Those on
	// loopback may anyway.
	Insecure func(host string) bool
	// Transport returns what reaches a host; nil for http.DefaultTransport.
	Transport func(host string) http.RoundTripper
	Timeout   time.Duration // of each place that is asked; 30 s if 0
	Now       func() time.Time

	mu         sync.Mutex
	transports map[string]http.RoundTripper
	keys       keyring
}

var _ Resolver = (*Registries)(nil)

// hubServer is the host at which Docker Hub answers.
const hubServer = "index.docker.io"

// place is where an image may be found.
type place struct {
	host       string // as in drydock.ImageName
	server     string // that answers for it
	repository string
	plain      bool // plain HTTP is allowed
}

// places returns where an image is asked for, in order.
func (r *Registries) places(image drydock.ImageName) []place {
	var all []place
	for _, m := range r.Mirrors[image.Registry] {
		all = append(all, place{
			host: drydock.RegistryHost(m.Host), server: m.Host,
			repository: path.Join(strings.TrimPrefix(m.Path, "/"), image.Repository),
			plain:      m.Scheme == "http" || r.insecure(m.Host),
		})
	}
	server := image.Registry
	if server == drydock.DockerHub {
		server = hubServer
	}
	return append(all, place{host: image.Registry, server: server, repository: image.Repository, plain: r.insecure(image.Registry)})
}

func (r *Registries) insecure(host string) bool { return r.Insecure != nil && r.Insecure(host) }

// Resolve implements Resolver. What the registry itself says counts if no mirror
// has the image.
func (r *Registries) Resolve(ctx context.Context, q Query) (Answer, error) {
	var answer Answer
	var err error
	for _, p := range r.places(q.Image) {
		answer, err = r.resolveAt(ctx, p, q)
		if err == nil && answer.Digest != "" || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return Answer{}, fmt.Errorf("asking for %s: %w", q.Image, err)
	}
	return answer, nil
}

// resolveAt asks at one place, with one credential after the other.
func (r *Registries) resolveAt(ctx context.Context, p place, q Query) (Answer, error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%s has not answered within %s", p.server, timeout))
	defer cancel()
	var options []name.Option
	if p.plain {
		options = append(options, name.Insecure)
	}
	registry, err := name.NewRegistry(p.server, options...)
	if err != nil {
		return Answer{}, drydock.Errorf(drydock.Invalid, "%s is no registry: %w", p.server, err)
	}
	return r.withKeys(ctx, p, asking{
		registry: registry, repository: p.repository, query: q, transport: r.transport(p.host), now: r.Now,
	})
}

// transport returns what reaches a host, the same for each call.
func (r *Registries) transport(host string) http.RoundTripper {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.transports[host]
	if t != nil {
		return t
	}
	if t = http.DefaultTransport; r.Transport != nil {
		t = r.Transport(host)
	}
	if r.transports == nil || len(r.transports) >= mostRemembered { // some are of hosts that nobody asks any more
		r.transports = map[string]http.RoundTripper{}
	}
	r.transports[host] = t
	return t
}
