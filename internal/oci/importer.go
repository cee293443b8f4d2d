package oci

import (
	"context"
	"errors"
	"fmt"

	"github.com/distribution/distribution/v3"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
)

// sourceManifest is a manifest as the source has it.
type sourceManifest struct {
	digest    string
	mediaType string
	content   []byte
}

// importer copies into one repository.
type importer struct {
	ctx        context.Context
	source     Source
	content    *content
	blobs      *blobs
	repository string
	actor      string
	done       map[string]bool // digests of manifests
}

// fetch reads a manifest of the source and checks its digest.
func (i *importer) fetch(d string) (sourceManifest, error) {
	content, mediaType, err := i.source.Manifest(i.ctx, d)
	if err != nil {
		return sourceManifest{}, err
	}
	if got := digestLike(d, content); got != d {
		return sourceManifest{}, drydock.Errorf(drydock.Invalid, "the source returns %s for %s", got, d)
	}
	return sourceManifest{d, mediaType, content}, nil
}

// tree copies a manifest after what it needs, and before what refers to it.
func (i *importer) tree(s sourceManifest, tag string) error {
	if i.done[s.digest] {
		return nil
	}
	i.done[s.digest] = true
	if len(i.done) > maxImported {
		return drydock.Errorf(drydock.Invalid, "the import has more than %d manifests", maxImported)
	}
	m, err := parseManifest(s.mediaType, s.content)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "manifest %s: %w", s.digest, err)
	}
	m.Registry, m.Repository, m.Digest = i.content.registry, i.repository, s.digest
	for _, child := range m.Children {
		if err := i.byDigest(child.Digest); err != nil {
			return err
		}
	}
	for _, d := range m.Blobs {
		if err := i.blob(d); err != nil {
			return fmt.Errorf("blob %s: %w", d, err)
		}
	}
	addPlatform(i.ctx, i.blobs, &m)
	var tags []string
	if tag != "" {
		tags = []string{tag}
	}
	if err := i.content.store.PutManifest(i.ctx, m, tags, drydock.Actor{ID: i.actor}); err != nil {
		return err
	}
	referrers, err := i.source.Referrers(i.ctx, s.digest)
	if err != nil {
		return fmt.Errorf("what refers to %s: %w", s.digest, err)
	}
	for _, d := range referrers {
		if err := i.byDigest(d); err != nil {
			return err
		}
	}
	return nil
}

func (i *importer) byDigest(d string) error {
	if i.done[d] {
		return nil
	}
	if err := checkDigest(d); err != nil {
		return err
	}
	m, err := i.fetch(d)
	if err != nil {
		return fmt.Errorf("manifest %s: %w", d, err)
	}
	return i.tree(m, "")
}

// blob makes sure that the repository has a blob: it is there, or elsewhere in
// the registry, or comes from the source.
func (i *importer) blob(d string) error {
	if _, err := i.blobs.Stat(i.ctx, digest.Digest(d)); err == nil {
		return nil
	}
	held, err := i.content.store.Holder(i.ctx, i.content.registry, d)
	if err != nil {
		return err
	}
	if held != "" {
		if err := i.blobs.mountFrom(i.ctx, held, digest.Digest(d)); err == nil {
			return nil
		}
	}
	r, err := i.source.Blob(i.ctx, d)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = i.blobs.upload(i.ctx, r, digest.Digest(d))
	var wrong distribution.ErrBlobInvalidDigest
	if errors.As(err, &wrong) {
		return drydock.Errorf(drydock.Invalid, "the source returns other bytes for %s", d)
	}
	return storageError(err)
}
