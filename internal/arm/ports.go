package arm

import (
	"context"
	"net/http"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Authority checks bearer tokens; an auth.Authority is one.
type Authority interface {
	Tenant() string
	Require(audience auth.Audience, next http.Handler, deny auth.Deny, unavailable func(http.ResponseWriter, *http.Request, error)) http.Handler
}

// Sealer encrypts what is secret; an auth.Sealer is one.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// Queue takes runs. Its methods may be called from several goroutines.
type Queue interface {
	// Enqueue stores a run as drydock.RunStore's CreateRun does and sees to it
	// that it is started. A pool without slots is an error with code Invalid.
	Enqueue(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error)

	// Cancel asks for the end of a run and returns it as it stands then. A run
	// that has ended is an error with code Conflict.
	Cancel(ctx context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error)

	// SetSlots says how many runs a pool of a registry carries out at a time.
	SetSlots(registry drydock.ResourceID, pool string, slots int)
}

// AuditLog reads the audit log; a drydock.AuditStore is one.
type AuditLog interface {
	// Audit returns the selected records, the newest first.
	Audit(ctx context.Context, f drydock.AuditFilter) ([]drydock.AuditRecord, error)
}

// Upload is where a client puts a context.
type Upload struct {
	URL          string // that it is put to, with a signature
	RelativePath string // by which a run request names it
}

// LogLinks are the URLs of a run's log.
type LogLinks struct {
	Blob string // an append blob, with a signature
	// Artifact is set only for a run whose log is kept as an artifact and
	// nowhere else: clients that see it don't look at how the run ended.
	Artifact string
	Follow   string // a stream that ends with the run; may be empty
}

// Blobs makes the signed URLs of what is kept in blobs.
type Blobs interface {
	NewUpload(ctx context.Context, registry drydock.ResourceID) (Upload, error)
	LogLinks(ctx context.Context, registry drydock.ResourceID, run string) (LogLinks, error)
	// UploadGone reports whether the source of a run is an upload that is not
	// kept any more.
	UploadGone(ctx context.Context, registry drydock.ResourceID, source string) (bool, error)
}

// Import is a request to copy an image into a registry.
type Import struct {
	Target drydock.ResourceID // the registry
	// Source is the registry that the image is in: one of ours by its id, or any
	// by its host.
	Source     drydock.ResourceID
	SourceHost string
	Username   string // of the other registry; empty for none
	Password   string
	Image      string   // repository, repository:tag or repository@digest
	Tags       []string // repository or repository:tag, to be pointed at it
	Untagged   []string // repositories that get the manifest without a tag
	Force      bool     // tags that are there may be moved
	Actor      string   // object id of who asked
}

// Importer copies images. A tag that is there and must not be moved is an error
// with code Conflict, before anything is copied.
type Importer interface {
	Import(ctx context.Context, i Import) error
}

// Usage measures registries.
type Usage interface {
	// Size returns how many bytes the content of a registry takes.
	Size(ctx context.Context, registry drydock.ResourceID) (int64, error)
}

// Hook is told of a resource before it is deleted, its children first. It ends
// what the resource stands for: cancels runs, frees blobs. It may be told again
// of the same resource when a deletion was cut off; until it succeeds, the
// resource stays, in the state Deleting.
type Hook func(ctx context.Context, r drydock.Resource) error
