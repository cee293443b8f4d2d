package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/distribution/distribution/v3"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
)

// Source is the repository that an import reads. What is not there is an error
// with code NotFound. Its methods are called by one goroutine.
type Source interface {
	// Manifest returns the bytes of a manifest, named by tag or digest, and its
	// media type.
	Manifest(ctx context.Context, reference string) (content []byte, mediaType string, err error)

	// Blob returns a reader of a blob, which the caller closes.
	Blob(ctx context.Context, digest string) (io.ReadCloser, error)

	// Referrers returns the digests of the manifests whose subject has a digest.
	Referrers(ctx context.Context, digest string) ([]string, error)
}

// Import says what is copied and where to.
type Import struct {
	Source    Source
	Reference string // tag or digest in the source
	Targets   []ImportTarget
	Force     bool   // move tags that are there already
	Actor     string // object id of who imports
}

// ImportTarget is a place in a registry that an import goes to.
type ImportTarget struct {
	Repository string
	Tag        string // empty for none
}

// maxImported is how many manifests one import copies, with all platforms and
// referrers.
const maxImported = 1000

// Import copies a manifest by its digest, with all that an index lists and all
// that refers to any of it, into repositories of a registry. Blobs that the
// registry has anywhere are not copied again. A tag that is there already and
// points elsewhere is an error with code Conflict, unless it is forced. What was
// copied before an error stays; tags are set last.
//
// A blob that the registry has is taken by its digest, from whatever repository:
// who may import must be somebody who may read all of the registry.
func (s *Server) Import(ctx context.Context, reg Registry, i Import) error {
	a, err := s.app(reg)
	if err != nil {
		return err
	}
	content, mediaType, err := i.Source.Manifest(ctx, i.Reference)
	if err != nil {
		return fmt.Errorf("importing %s: %w", i.Reference, err)
	}
	root := sourceManifest{digestLike(wantDigest(i.Reference), content), mediaType, content}
	if want := wantDigest(i.Reference); want != "" && want != root.digest {
		return drydock.Errorf(drydock.Invalid, "the source returns %s for %s", root.digest, want)
	}
	for _, target := range i.Targets {
		if err := s.mayImport(ctx, reg, target, root.digest, i.Force); err != nil {
			return err
		}
	}
	for _, target := range i.Targets {
		imp := &importer{
			source: i.Source, content: a.content, repository: target.Repository, actor: i.Actor,
			ctx: logContext{ctx, a.logger}, done: map[string]bool{},
		}
		if imp.blobs, err = a.content.blobs(imp.ctx, target.Repository); err != nil {
			return err
		}
		if err := imp.tree(root, target.Tag); err != nil {
			return fmt.Errorf("importing %s into %s: %w", i.Reference, target.Repository, err)
		}
	}
	return nil
}

func wantDigest(reference string) string {
	if isDigest(reference) {
		return reference
	}
	return ""
}

// mayImport checks a target.
func (s *Server) mayImport(ctx context.Context, reg Registry, target ImportTarget, digest string, force bool) error {
	if err := drydock.CheckRepositoryName(target.Repository); err != nil {
		return err
	}
	if target.Tag == "" {
		return nil
	}
	if !drydock.ValidTag(target.Tag) {
		return drydock.Errorf(drydock.Invalid, "not a tag: %s", strconv.Quote(target.Tag))
	}
	m, err := s.options.Store.Manifest(ctx, drydock.ArtifactRef{
		Registry: reg.ID, Repository: target.Repository, Reference: target.Tag,
	})
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
		return nil
	case err != nil:
		return err
	case m.Digest != digest && !force:
		return drydock.Errorf(drydock.Conflict, "the tag %s:%s exists already", target.Repository, target.Tag).
			WithHint("import with --force to move it")
	}
	return nil
}

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
	if err := i.content.store.PutManifest(i.ctx, m, tags, i.actor); err != nil {
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

// addPlatform reads the platform of an image from its config, for the lists. A
// config that is not there is left for PutManifest to refuse.
func addPlatform(ctx context.Context, b *blobs, m *drydock.Manifest) {
	if m.ConfigType != dockerConfig && m.ConfigType != ociConfig || len(m.Blobs) == 0 {
		return
	}
	config := digest.Digest(m.Blobs[0])
	d, err := b.Stat(ctx, config)
	if err != nil || d.Size > maxConfig {
		return
	}
	text, err := b.Get(ctx, config)
	if err != nil {
		return
	}
	var p platform
	if json.Unmarshal(text, &p) == nil {
		m.OS, m.Architecture = p.OS, p.Architecture
	}
}

// SplitImage takes "repository", "repository:tag" or "repository@digest" apart.
// The reference is empty if there is none.
func SplitImage(image string) (repository, reference string) {
	if repository, reference, ok := strings.Cut(image, "@"); ok {
		return repository, reference
	}
	if repository, reference, ok := strings.Cut(image, ":"); ok {
		return repository, reference
	}
	return image, ""
}
