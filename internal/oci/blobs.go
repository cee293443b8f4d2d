package oci

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// octetStream is the media type of a blob by itself.
const octetStream = "application/octet-stream"

// blobs are the blobs of one repository. Which there are is what the store's
// rows say; distribution's links in storage only lead to the bytes.
type blobs struct {
	distribution.BlobStore
	content    *content
	repository string
}

// link returns the row of a blob.
func (b *blobs) link(ctx context.Context, d digest.Digest) (drydock.BlobLink, error) {
	l, err := b.content.store.Blob(ctx, b.content.ref(b.repository, d.String()), time.Now().Add(-b.content.fresh))
	return l, blobError(err)
}

// blobError gives an error of the store the form that distribution's handlers
// answer rightly.
func blobError(err error) error {
	switch {
	case err == nil:
		return nil
	case drydock.CodeOf(err) == drydock.NotFound:
		return distribution.ErrBlobUnknown
	case drydock.CodeOf(err) == drydock.Conflict:
		return errcode.ErrorCodeUnsupported.WithMessage(err.Error())
	case drydock.CodeOf(err) == drydock.Unavailable:
		return errcode.ErrorCodeUnavailable.WithMessage(err.Error())
	}
	return err
}

func (l blobDescriptor) descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: octetStream, Digest: digest.Digest(l.Digest), Size: l.Size}
}

type blobDescriptor drydock.BlobLink

// Stat describes a blob.
func (b *blobs) Stat(ctx context.Context, d digest.Digest) (v1.Descriptor, error) {
	l, err := b.link(ctx, d)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return blobDescriptor(l).descriptor(), nil
}

// Get returns the bytes of a blob, which must be small.
func (b *blobs) Get(ctx context.Context, d digest.Digest) ([]byte, error) {
	l, err := b.link(ctx, d)
	if err != nil {
		return nil, err
	}
	return b.BlobStore.Get(ctx, digest.Digest(l.Canonical))
}

// Open returns a reader of a blob.
func (b *blobs) Open(ctx context.Context, d digest.Digest) (io.ReadSeekCloser, error) {
	l, err := b.link(ctx, d)
	if err != nil {
		return nil, err
	}
	return b.BlobStore.Open(ctx, digest.Digest(l.Canonical))
}

// ServeBlob answers a request for a blob or a range of it. A blob whose bytes are
// gone is not there: who pushes it again puts it right.
func (b *blobs) ServeBlob(ctx context.Context, w http.ResponseWriter, r *http.Request, d digest.Digest) error {
	l, err := b.link(ctx, d)
	if err == nil {
		w.Header().Set("Docker-Content-Digest", l.Digest)
		err = b.send(ctx, w, r, digest.Digest(l.Canonical))
	}
	if errors.Is(err, distribution.ErrBlobUnknown) || isGone(err) {
		return errcode.ErrorCodeBlobUnknown.WithDetail(d)
	}
	return err
}

// Put stores a small blob.
func (b *blobs) Put(ctx context.Context, mediaType string, p []byte) (v1.Descriptor, error) {
	b.content.sweep.RLock()
	defer b.content.sweep.RUnlock()
	d, err := b.BlobStore.Put(ctx, mediaType, p)
	if err != nil {
		return d, err
	}
	return d, b.record(ctx, d, d.Digest)
}

// record writes the rows of a blob, for its canonical digest and for the one by
// which it was pushed.
func (b *blobs) record(ctx context.Context, canonical v1.Descriptor, asked digest.Digest) error {
	digests := []digest.Digest{canonical.Digest}
	if asked != canonical.Digest {
		digests = append(digests, asked)
	}
	for _, d := range digests {
		err := b.content.store.PutBlob(ctx, drydock.BlobLink{
			Registry: b.content.registry, Repository: b.repository,
			Digest: d.String(), Canonical: canonical.Digest.String(), Size: canonical.Size,
		})
		if err != nil {
			return blobError(err)
		}
	}
	return nil
}

// Create begins an upload, or mounts a blob of another repository of the
// registry if it has it. Whether the caller may read there was checked.
func (b *blobs) Create(ctx context.Context, options ...distribution.BlobCreateOption) (distribution.BlobWriter, error) {
	var o distribution.CreateOptions
	for _, option := range options {
		if err := option.Apply(&o); err != nil {
			return nil, err
		}
	}
	if o.Mount.ShouldMount {
		if d, err := b.mount(ctx, o.Mount.From); err == nil {
			return nil, distribution.ErrBlobMounted{From: o.Mount.From, Descriptor: d}
		}
	}
	w, err := b.BlobStore.Create(ctx)
	if err != nil {
		return nil, err
	}
	return &writer{w, b}, nil
}

// mount makes a blob of another repository one of this repository too.
func (b *blobs) mount(ctx context.Context, from reference.Canonical) (v1.Descriptor, error) {
	b.content.sweep.RLock()
	defer b.content.sweep.RUnlock()
	source := &blobs{content: b.content, repository: from.Name()}
	l, err := source.link(ctx, from.Digest())
	if err != nil {
		return v1.Descriptor{}, err
	}
	// Distribution links a digest other than the canonical one to nowhere.
	canonical, err := reference.WithDigest(reference.TrimNamed(from), digest.Digest(l.Canonical))
	if err != nil {
		return v1.Descriptor{}, err
	}
	w, err := b.BlobStore.Create(ctx, storage.WithMountFrom(canonical))
	var mounted distribution.ErrBlobMounted
	if !errors.As(err, &mounted) {
		if err == nil {
			err = errors.Join(distribution.ErrBlobUnknown, w.Cancel(ctx))
		}
		return v1.Descriptor{}, err
	}
	if err := b.record(ctx, v1.Descriptor{Digest: canonical.Digest(), Size: l.Size}, from.Digest()); err != nil {
		return v1.Descriptor{}, err
	}
	return blobDescriptor(l).descriptor(), nil
}

// mountFrom mounts a blob of a repository of the registry by its name.
func (b *blobs) mountFrom(ctx context.Context, repository string, d digest.Digest) error {
	named, err := reference.WithName(repository)
	if err != nil {
		return err
	}
	from, err := reference.WithDigest(named, d)
	if err != nil {
		return err
	}
	_, err = b.mount(ctx, from)
	return err
}

// Resume goes on with an upload.
func (b *blobs) Resume(ctx context.Context, id string) (distribution.BlobWriter, error) {
	w, err := b.BlobStore.Resume(ctx, id)
	if err != nil {
		return nil, err
	}
	return &writer{w, b}, nil
}

// upload stores a blob that is read to its end.
func (b *blobs) upload(ctx context.Context, r io.Reader, asked digest.Digest) (v1.Descriptor, error) {
	w, err := b.Create(ctx)
	if err != nil {
		return v1.Descriptor{}, err
	}
	defer w.Close()
	var d v1.Descriptor
	if _, err = io.Copy(w, r); err == nil {
		d, err = w.Commit(ctx, v1.Descriptor{Digest: asked})
	}
	if err != nil {
		w.Cancel(context.WithoutCancel(ctx)) // the error that led here says more
	}
	return d, err
}

// Delete takes a blob from the repository. Its bytes go with the next sweep.
func (b *blobs) Delete(ctx context.Context, d digest.Digest) error {
	return blobError(b.content.store.DeleteBlob(ctx, b.content.ref(b.repository, d.String())))
}

// writer is an upload of a blob.
type writer struct {
	distribution.BlobWriter
	blobs *blobs
}

// Commit ends the upload: the blob is there when it returns.
func (w *writer) Commit(ctx context.Context, asked v1.Descriptor) (v1.Descriptor, error) {
	if err := checkDigest(asked.Digest.String()); err != nil {
		return v1.Descriptor{}, distribution.ErrBlobInvalidDigest{Digest: asked.Digest, Reason: err}
	}
	w.blobs.content.sweep.RLock()
	defer w.blobs.content.sweep.RUnlock()
	canonical, err := w.BlobWriter.Commit(ctx, asked)
	if err != nil {
		return canonical, err
	}
	if err := w.blobs.record(ctx, canonical, asked.Digest); err != nil {
		return canonical, err
	}
	canonical.Digest = asked.Digest
	return canonical, nil
}

// checkDigest returns an error for what is not a sha256 or sha512 digest.
func checkDigest(text string) error {
	d, err := digest.Parse(text)
	if err != nil {
		return digestInvalid("not a digest: " + text)
	}
	if d.Algorithm() != digest.SHA256 && d.Algorithm() != digest.SHA512 {
		return digestInvalid("digests are sha256 or sha512, not " + d.Algorithm().String())
	}
	return nil
}
