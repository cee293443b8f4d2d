package oci

import (
	"context"
	"sync"
	"time"

	"github.com/distribution/distribution/v3"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/reference"

	"github.com/drydockhq/drydock"
)

// content is what a registry holds: rows of the store say what is there, the
// storage driver has the bytes of blobs.
type content struct {
	registry drydock.ResourceID
	store    Store
	fresh    time.Duration // a blob used less long ago is not marked as used again

	stored distribution.Namespace // of distribution, without ours around it
	driver storagedriver.StorageDriver
	files  bool // the driver keeps them in files of this machine

	// sweep is held for reading from before a blob's bytes are put in their place
	// until the row for them is there, and for writing from before rows are
	// deleted until the bytes are gone: bytes and rows change together.
	sweep sync.RWMutex
}

// blobs returns the blobs of a repository whose name was checked.
func (c *content) blobs(ctx context.Context, name string) (*blobs, error) {
	named, err := reference.WithName(name)
	if err != nil {
		return nil, nameInvalid(err)
	}
	r, err := c.stored.Repository(ctx, named)
	if err != nil {
		return nil, err
	}
	return &blobs{r.Blobs(ctx), c, name}, nil
}

func (c *content) ref(repository, reference string) drydock.ArtifactRef {
	return drydock.ArtifactRef{Registry: c.registry, Repository: repository, Reference: reference}
}

// namespace puts our blobs in the place of distribution's.
type namespace struct {
	distribution.Namespace
	content *content
}

// Repository returns a repository with our blobs.
func (n *namespace) Repository(ctx context.Context, name reference.Named) (distribution.Repository, error) {
	r, err := n.Namespace.Repository(ctx, name)
	if err != nil {
		return nil, err
	}
	return &repository{r, n.content}, nil
}

// repository puts our blobs in the place of distribution's. Manifests and tags
// never get here: they are answered before distribution is asked.
type repository struct {
	distribution.Repository
	content *content
}

// Blobs returns our blobs.
func (r *repository) Blobs(ctx context.Context) distribution.BlobStore {
	return &blobs{r.Repository.Blobs(ctx), r.content, r.Named().Name()}
}
