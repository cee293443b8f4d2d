package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// The methods below look at what is stored. They pass credentials, faults and
// the request log by.

// Repositories returns the names of the repositories that have content, sorted.
func (r *Registry) Repositories() ([]string, error) {
	host, err := name.NewRegistry(r.Host)
	if err != nil {
		return nil, err
	}
	all, err := remote.Catalog(context.Background(), host, r.direct())
	if err != nil {
		return nil, fmt.Errorf("listing the repositories of %s: %w", r.Host, err)
	}
	slices.Sort(all)
	return all, nil
}

// Tags returns the tags of a repository, sorted. One that does not exist has
// none.
func (r *Registry) Tags(repository string) ([]string, error) {
	repo, err := name.NewRepository(r.Host + "/" + repository)
	if err != nil {
		return nil, err
	}
	tags, err := remote.List(repo, r.direct())
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the tags of %s: %w", repo, err)
	}
	slices.Sort(tags)
	return tags, nil
}

// Manifest returns the bytes and the media type of a manifest. ref is
// REPOSITORY[:TAG] or REPOSITORY@DIGEST, without the host.
func (r *Registry) Manifest(ref string) (manifest []byte, mediaType string, err error) {
	desc, err := r.Get(ref)
	if err != nil {
		return nil, "", err
	}
	return desc.Manifest, string(desc.MediaType), nil
}

// Digest returns the digest of a manifest, "" if there is none. ref is as for
// Manifest.
func (r *Registry) Digest(ref string) (string, error) {
	desc, err := r.Get(ref)
	if isNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return desc.Digest.String(), nil
}

// Get returns the descriptor of what ref names, from which its image or index
// can be read. ref is as for Manifest.
func (r *Registry) Get(ref string) (*remote.Descriptor, error) {
	parsed, err := name.ParseReference(r.Host + "/" + ref)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(parsed, r.direct())
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", parsed, err)
	}
	return desc, nil
}

func isNotFound(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}

// direct makes a client call the registry inside this process.
func (r *Registry) direct() remote.Option {
	return remote.WithTransport(roundTripper(func(request *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		clone := request.Clone(request.Context())
		if clone.Body == nil {
			clone.Body = http.NoBody
		}
		clone.RequestURI = request.URL.RequestURI()
		r.app.ServeHTTP(w, clone)
		response := w.Result()
		response.Request = request
		return response, nil
	}))
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
