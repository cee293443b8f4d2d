package drydock

import (
	"context"
	"regexp"
	"time"
)

// Attributes say what may be done with a repository, a manifest or a tag; they
// are ACR's changeable attributes. What is done with a manifest or a tag needs
// its repository's attribute as well.
type Attributes struct {
	Delete bool // it may be deleted, if Write too
	Write  bool // it may be pushed to, moved or deleted
	List   bool // it shows in lists
	Read   bool // it may be pulled
}

// Unlocked are the attributes that everything starts with.
func Unlocked() Attributes { return Attributes{Delete: true, Write: true, List: true, Read: true} }

// And returns what both allow.
func (a Attributes) And(b Attributes) Attributes {
	return Attributes{a.Delete && b.Delete, a.Write && b.Write, a.List && b.List, a.Read && b.Read}
}

// AttributesChange changes attributes; those that are nil stay.
type AttributesChange struct {
	Delete, Write, List, Read *bool
}

// Apply returns the attributes after the change.
func (c AttributesChange) Apply(a Attributes) Attributes {
	for _, field := range []struct {
		to   *bool
		from *bool
	}{{&a.Delete, c.Delete}, {&a.Write, c.Write}, {&a.List, c.List}, {&a.Read, c.Read}} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	return a
}

// Repository is a named set of manifests and tags in a registry. It is there
// from its first manifest on until it is deleted.
type Repository struct {
	Registry   ResourceID
	Name       string
	Attributes Attributes
	Manifests  int
	Tags       int
	Created    time.Time
	Updated    time.Time
}

// MaxRepositoryName is how many bytes a repository's name may have.
const MaxRepositoryName = 255

var (
	repositoryName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	registryName   = regexp.MustCompile(`^[a-zA-Z0-9]{5,50}$`)
)

// CheckRepositoryName returns an error with code Invalid for a name that the OCI
// distribution specification doesn't allow.
func CheckRepositoryName(name string) error {
	if len(name) > MaxRepositoryName {
		return Errorf(Invalid, "repository name of %d characters", len(name)).WithHint("at most %d are allowed", MaxRepositoryName)
	}
	if !repositoryName.MatchString(name) {
		return Errorf(Invalid, "repository name %q", name).
			WithHint("a name is lower-case letters and digits, with single . _ / or - between them")
	}
	return nil
}

// CheckRegistryName returns an error with code Invalid for a name that ACR
// doesn't allow.
func CheckRegistryName(name string) error {
	if !registryName.MatchString(name) {
		return Errorf(Invalid, "registry name %q", name).WithHint("a registry name is 5 to 50 letters and digits")
	}
	return nil
}

// Page selects a part of a list that is ordered by name or digest.
type Page struct {
	After string // begin after this one; empty for the start
	Limit int    // how many at most; 0 for all
}

// ArtifactRef names a repository, or a manifest or tag in one.
type ArtifactRef struct {
	Registry   ResourceID
	Repository string
	Reference  string // a digest or a tag; empty for the repository itself
}

// Actor is who changes what a registry holds.
type Actor struct {
	ID    string     // object id
	Run   ResourceID // the run that does it; zero for anybody else
	Agent string     // user agent of the request; empty for none
}

// ArtifactStore changes what registries hold. Each change is checked against the
// attributes, and is one transaction with the Event that it causes, which says who made
// it. What is not there is an error with code NotFound,
// what attributes forbid one with code Conflict. Methods may be called from
// several goroutines and servers.
type ArtifactStore interface {
	// PutManifest stores a manifest, points the tags at it, and makes the
	// repository if need be. Blobs and children must be in the repository; the
	// first that is not is returned in a *MissingContentError.
	PutManifest(ctx context.Context, m Manifest, tags []string, by Actor) error

	// DeleteManifest deletes a manifest by its digest, its tags, and the
	// manifests whose subject it is unless these are locked.
	DeleteManifest(ctx context.Context, ref ArtifactRef, by Actor) error

	// DeleteTag deletes a tag; its manifest stays.
	DeleteTag(ctx context.Context, ref ArtifactRef, by Actor) error

	// DeleteRepository deletes a repository with all that is in it; nothing of
	// it if a part is locked.
	DeleteRepository(ctx context.Context, ref ArtifactRef, by Actor) error

	// SetAttributes changes the attributes of a repository, a manifest or a tag.
	SetAttributes(ctx context.Context, ref ArtifactRef, change AttributesChange) error
}

// ArtifactIndex reads what registries hold. What is not there is an error with
// code NotFound. Methods may be called from several goroutines.
type ArtifactIndex interface {
	Repository(ctx context.Context, registry ResourceID, name string) (Repository, error)

	// Repositories returns the repositories of a registry that may be listed,
	// ordered by name, without the numbers of their manifests and tags.
	Repositories(ctx context.Context, registry ResourceID, page Page) ([]Repository, error)

	// Manifest returns the manifest that a tag or digest names, with its content.
	Manifest(ctx context.Context, ref ArtifactRef) (Manifest, error)

	// Manifests returns the selected manifests without their content.
	Manifests(ctx context.Context, f ManifestFilter) ([]Manifest, error)

	// Tags returns the selected tags.
	Tags(ctx context.Context, f TagFilter) ([]Tag, error)
}
