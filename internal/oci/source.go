package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/distribution/distribution/v3"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
)

// RemoteSource is a repository of any registry, read through its API.
type RemoteSource struct {
	// Repository has the registry's host and the repository's path.
	Repository string
	// Username and Password sign in; empty to be anonymous.
	Username, Password string
	// Insecure allows plain HTTP. Loopback registries may use it anyway.
	Insecure bool
	// Transport reaches the registry; nil for the default one.
	Transport http.RoundTripper
}

var _ Source = RemoteSource{}

func (s RemoteSource) repository() (name.Repository, error) {
	var options []name.Option
	if s.Insecure {
		options = append(options, name.Insecure)
	}
	// Repo takes what the specification allows; NewRepository no name of one letter.
	host, path, _ := strings.Cut(s.Repository, "/")
	r, err := name.NewRegistry(host, options...)
	if err != nil || drydock.CheckRepositoryName(path) != nil {
		return name.Repository{}, drydock.Errorf(drydock.Invalid, "not a repository: %q", s.Repository)
	}
	return r.Repo(path), nil
}

func (s RemoteSource) options(ctx context.Context) []remote.Option {
	options := []remote.Option{remote.WithContext(ctx), remote.WithUserAgent("drydock")}
	if s.Username != "" || s.Password != "" {
		options = append(options, remote.WithAuth(&authn.Basic{Username: s.Username, Password: s.Password}))
	}
	if s.Transport != nil {
		options = append(options, remote.WithTransport(s.Transport))
	}
	return options
}

// Manifest implements Source.
func (s RemoteSource) Manifest(ctx context.Context, reference string) ([]byte, string, error) {
	r, err := s.repository()
	if err != nil {
		return nil, "", err
	}
	var ref name.Reference = r.Tag(reference)
	if isDigest(reference) {
		ref = r.Digest(reference)
	}
	d, err := remote.Get(ref, s.options(ctx)...)
	if err != nil {
		return nil, "", s.problem(err, ref.String())
	}
	return d.Manifest, string(d.MediaType), nil
}

// Blob implements Source.
func (s RemoteSource) Blob(ctx context.Context, d string) (io.ReadCloser, error) {
	r, err := s.repository()
	if err != nil {
		return nil, err
	}
	layer, err := remote.Layer(r.Digest(d), s.options(ctx)...)
	if err != nil {
		return nil, s.problem(err, d)
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, s.problem(err, d)
	}
	return body, nil
}

// Referrers implements Source. A registry without the API and without the tag
// that stands in for it has none.
func (s RemoteSource) Referrers(ctx context.Context, d string) ([]string, error) {
	r, err := s.repository()
	if err != nil {
		return nil, err
	}
	index, err := remote.Referrers(r.Digest(d), s.options(ctx)...)
	if err != nil {
		return nil, s.problem(err, d)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, s.problem(err, d)
	}
	var all []string
	for _, m := range list.Manifests {
		all = append(all, m.Digest.String())
	}
	return all, nil
}

// problem gives an error of a registry a code.
func (s RemoteSource) problem(err error, what string) error {
	var answer *transport.Error
	code := drydock.Unavailable
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusNotFound:
			code = drydock.NotFound
		case http.StatusUnauthorized, http.StatusForbidden:
			code = drydock.Denied
		}
	}
	return drydock.Errorf(code, "reading %s of %s: %w", what, s.Repository, err)
}

// LocalSource returns a repository of a registry of this server. Whether who
// imports may read it is for the caller to check.
func (s *Server) LocalSource(reg Registry, repository string) (Source, error) {
	if err := drydock.CheckRepositoryName(repository); err != nil {
		return nil, err
	}
	a, err := s.app(reg)
	if err != nil {
		return nil, err
	}
	return &localSource{a, repository}, nil
}

// localSource is a repository of this server.
type localSource struct {
	app        *app
	repository string
}

// Manifest implements Source.
func (s *localSource) Manifest(ctx context.Context, reference string) ([]byte, string, error) {
	m, err := s.app.content.store.Manifest(ctx, s.app.content.ref(s.repository, reference))
	if err != nil {
		return nil, "", err
	}
	if !m.Effective.Read {
		return nil, "", drydock.Errorf(drydock.Conflict, "%s is locked: it may not be read", s.repository)
	}
	return m.Content, m.MediaType, nil
}

// Blob implements Source.
func (s *localSource) Blob(ctx context.Context, d string) (io.ReadCloser, error) {
	b, err := s.app.content.blobs(logContext{ctx, s.app.logger}, s.repository)
	if err != nil {
		return nil, err
	}
	r, err := b.Open(logContext{ctx, s.app.logger}, digest.Digest(d))
	if errors.Is(err, distribution.ErrBlobUnknown) {
		return nil, drydock.Errorf(drydock.NotFound, "%s has no blob %s", s.repository, d)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", d, s.repository, err)
	}
	return r, nil
}

// Referrers implements Source.
func (s *localSource) Referrers(ctx context.Context, d string) ([]string, error) {
	all, err := s.app.content.store.Manifests(ctx, drydock.ManifestFilter{
		Registry: s.app.content.registry, Repository: s.repository, Subject: d,
	})
	if err != nil {
		return nil, err
	}
	var digests []string
	for _, m := range all {
		digests = append(digests, m.Digest)
	}
	return digests, nil
}
