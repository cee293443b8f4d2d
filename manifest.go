package drydock

import (
	"context"
	"fmt"
	"time"
)

// Manifest is a manifest in a repository: of an image, an index or an artifact.
type Manifest struct {
	Registry   ResourceID
	Repository string
	Digest     string // sha256 or sha512, of Content
	MediaType  string
	Content    []byte // as it was pushed; nil in lists
	Size       int64  // of Content in bytes

	ConfigType   string            // media type of the config; empty for an index
	ArtifactType string            // as the referrers API defines it: an image's is its config's media type
	Subject      string            // digest of what this manifest is about; it need not be there
	Annotations  map[string]string // nil for none
	OS           string            // of an image; may be empty
	Architecture string            // of an image; may be empty
	TotalSize    int64             // of Content, config and layers in bytes

	Blobs    []string        // digests of the config and layers that must be in the registry, each once
	Children []ChildManifest // what an index lists

	Tags       []string // that point at it, sorted
	Attributes Attributes
	// Effective are the attributes together with those of the repository, and of
	// the tag if it was asked for by one. Only ArtifactIndex.Manifest sets it.
	Effective Attributes
	Created   time.Time
	Updated   time.Time // when it last was pushed
}

// ChildManifest is an entry of an index.
type ChildManifest struct {
	Digest       string
	OS           string // may be empty
	Architecture string // may be empty
}

// MissingContentError says that a manifest names a blob or a manifest that its
// repository doesn't hold.
type MissingContentError struct {
	Digest string
}

// Error names the digest.
func (e *MissingContentError) Error() string {
	return fmt.Sprintf("the repository doesn't hold %s", e.Digest)
}

// ManifestFilter selects manifests of one repository; empty fields select all.
type ManifestFilter struct {
	Registry   ResourceID
	Repository string
	Digest     string
	Subject    string
	// ArtifactType selects those with this type.
	ArtifactType string
	Hidden       bool // also those that may not be listed
	Order        Order
	Page         Page
}

// BlobLink is a blob's place in a repository.
type BlobLink struct {
	Registry   ResourceID
	Repository string
	Digest     string // by which it is asked for
	Canonical  string // sha256, under which storage has it
	Size       int64
}

// BlobIndex knows which blobs each repository holds; storage has the bytes. A
// blob that the index doesn't know is not there, whatever storage says. Methods
// may be called from several goroutines and servers.
type BlobIndex interface {
	// PutBlob records that a repository holds a blob, as used now.
	PutBlob(ctx context.Context, link BlobLink) error

	// Blob returns a blob of a repository; code NotFound when it has none with
	// that digest, code Conflict when the repository may not be read. One that was last used before stale is recorded as used now,
	// so that it outlives the next SweepBlobs by the same time.
	Blob(ctx context.Context, ref ArtifactRef, stale time.Time) (BlobLink, error)

	// DeleteBlob takes a blob from a repository; code Conflict when one of its
	// manifests needs it.
	DeleteBlob(ctx context.Context, ref ArtifactRef) error

	// SweepBlobs takes up to limit blobs, of which no manifest of their
	// repository needs one and that were last used before the given time, from
	// their repositories. It returns them, and of their canonical digests those
	// that no repository of the registry holds any more.
	SweepBlobs(ctx context.Context, registry ResourceID, before time.Time, limit int) (links []BlobLink, gone []string, err error)

	// Holder returns a repository of the registry that holds a blob with the
	// canonical digest, "" if there is none.
	Holder(ctx context.Context, registry ResourceID, canonical string) (string, error)
}

// UsageStore knows how much a registry as a whole holds.
type UsageStore interface {
	// Usage returns the bytes of a registry's blobs and manifests, each counted
	// once.
	Usage(ctx context.Context, registry ResourceID) (int64, error)
}
