package buildkit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteserrors "github.com/containerd/containerd/v2/core/remotes/errors"
	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/util/contentutil"
	"github.com/moby/buildkit/version"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// remote is the registries as one run may see them.
type remote struct {
	registries Registries
	clients    *clientCache
	logins     *logins
	advice     Advice // complete

	mu    sync.Mutex
	hosts docker.RegistryHosts // with the tokens that were given so far
}

// resolver returns a resolver with the run's credentials as they are now.
func (r *remote) resolver(ctx context.Context) remotes.Resolver {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hosts == nil {
		ctx := context.WithoutCancel(ctx)
		r.hosts = r.registries.authorizedHosts(r.clients, func(host string) (string, string, error) {
			return r.logins.Lookup(ctx, host)
		})
	}
	headers := http.Header{}
	headers.Set("User-Agent", version.UserAgent())
	return docker.NewResolver(docker.ResolverOptions{Hosts: r.hosts, Headers: headers})
}

// forget drops all tokens, after a login or logout.
func (r *remote) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts = nil
}

// head asks the registry for the descriptor of a complete name.
func (r *remote) head(ctx context.Context, name string) (ocispec.Descriptor, error) {
	_, desc, err := r.resolver(ctx).Resolve(ctx, name)
	if err != nil {
		return ocispec.Descriptor{}, r.problem("resolving image", name, err)
	}
	return desc, nil
}

// provider reads the contents of a complete name's repository.
func (r *remote) provider(ctx context.Context, name string) (content.Provider, error) {
	fetcher, err := r.resolver(ctx).Fetcher(ctx, name)
	if err != nil {
		return nil, r.problem("reading image", name, err)
	}
	return contentutil.FromFetcher(fetcher), nil
}

// problem says what a registry answered, and what to do about it.
func (r *remote) problem(doing, name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *drydock.Error
	if errors.As(err, &known) {
		return err
	}
	host := name
	if named, parseErr := reference.ParseNormalizedNamed(name); parseErr == nil {
		host = reference.Domain(named)
	}
	var status remoteserrors.ErrUnexpectedStatus
	var network net.Error
	var certificate *tls.CertificateVerificationError
	text := fmt.Errorf("%s %s: %w", doing, name, err).Error()
	out := func(code drydock.Code, hint string) error {
		return &drydock.Error{Code: code, Message: text, Err: err, Hint: about(host, hint)}
	}
	switch {
	case errors.As(err, &status) && (status.StatusCode == http.StatusUnauthorized || status.StatusCode == http.StatusForbidden),
		errors.Is(err, docker.ErrInvalidAuthorization), cerrdefs.IsPermissionDenied(err), cerrdefs.IsUnauthorized(err):
		return out(drydock.Denied, "check the credentials for HOST, given with "+r.advice.Credentials)
	case cerrdefs.IsNotFound(err):
		return out(drydock.Failed, "check the image's name and tag; a private registry can also hide an image from those who may not read it")
	case errors.As(err, &status) && status.StatusCode == http.StatusTooManyRequests:
		return out(drydock.Unavailable, "HOST limits requests: log in to it, or use a mirror with "+r.advice.Mirror)
	case errors.As(err, &certificate):
		return out(drydock.Unavailable, r.advice.CA+" names the certificate to trust for it")
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return out(drydock.Unavailable, "it answers in plain HTTP, which "+r.advice.Insecure+" allows")
	case errors.As(err, &status) && status.StatusCode >= http.StatusInternalServerError:
		return out(drydock.Unavailable, "HOST has a problem of its own; try again later")
	case errors.As(err, &status) && status.StatusCode == http.StatusBadRequest && strings.HasPrefix(status.RequestURL, "http:"):
		return out(drydock.Unavailable, "where HOST answers in HTTPS, "+r.advice.CA+" names its certificate, and "+r.advice.Insecure+" does without")
	case errors.As(err, &network):
		return out(drydock.Unavailable, "is HOST reachable from this machine? "+r.advice.Mirror+" names a registry that answers for it")
	}
	return out(drydock.Failed, "")
}
