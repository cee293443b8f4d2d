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
		return ocispec.Descriptor{}, registryError("resolving image", name, err)
	}
	return desc, nil
}

// provider reads the contents of a complete name's repository.
func (r *remote) provider(ctx context.Context, name string) (content.Provider, error) {
	fetcher, err := r.resolver(ctx).Fetcher(ctx, name)
	if err != nil {
		return nil, registryError("reading image", name, err)
	}
	return contentutil.FromFetcher(fetcher), nil
}

// registryError says what a registry answered, and what to do about it.
func registryError(doing, name string, err error) error {
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
	wrapped := fmt.Errorf("%s %s: %w", doing, name, err)
	switch {
	case errors.As(err, &status) && (status.StatusCode == http.StatusUnauthorized || status.StatusCode == http.StatusForbidden),
		errors.Is(err, docker.ErrInvalidAuthorization), cerrdefs.IsPermissionDenied(err), cerrdefs.IsUnauthorized(err):
		return (&drydock.Error{Code: drydock.Denied, Message: wrapped.Error(), Err: err}).
			WithHint("check the credentials for %s, given with --credential or `docker login`", host)
	case cerrdefs.IsNotFound(err):
		return (&drydock.Error{Code: drydock.Failed, Message: wrapped.Error(), Err: err}).
			WithHint("check the image's name and tag; a private registry can also hide an image from those who may not read it")
	case errors.As(err, &status) && status.StatusCode == http.StatusTooManyRequests:
		return (&drydock.Error{Code: drydock.Unavailable, Message: wrapped.Error(), Err: err}).
			WithHint("%s limits requests: log in to it, or use a mirror with --mirror", host)
	case errors.As(err, &certificate):
		return (&drydock.Error{Code: drydock.Unavailable, Message: wrapped.Error(), Err: err}).
			WithHint("--ca %s=FILE names the certificate to trust for it", host)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return (&drydock.Error{Code: drydock.Unavailable, Message: wrapped.Error(), Err: err}).
			WithHint("it answers in plain HTTP, which --insecure-registry %s allows", host)
	case errors.As(err, &status) && status.StatusCode >= http.StatusInternalServerError:
		return (&drydock.Error{Code: drydock.Unavailable, Message: wrapped.Error(), Err: err}).
			WithHint("%s has a problem of its own; try again later", host)
	case errors.As(err, &network):
		return (&drydock.Error{Code: drydock.Unavailable, Message: wrapped.Error(), Err: err}).
			WithHint("is %s reachable from this machine? --mirror names a registry that answers for it", host)
	}
	return &drydock.Error{Code: drydock.Failed, Message: wrapped.Error(), Err: err}
}
