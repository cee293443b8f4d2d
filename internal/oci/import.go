package oci

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

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
