package blobs

import (
	"context"
	"io"
	"regexp"
	"time"

	"github.com/drydockhq/drydock"
)

// Key names a blob.
type Key struct {
	Container string // 3 to 63 lower-case letters, digits and hyphens
	Name      string // at most 180 letters, digits, ".", "_" and "-", in parts between "/"
}

var (
	containerForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{2,62}$`)
	nameForm      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$`)
)

// check refuses keys that are out of form: no key names a file elsewhere.
func (k Key) check() error {
	if !containerForm.MatchString(k.Container) || !nameForm.MatchString(k.Name) || len(k.Name) > 180 {
		return drydock.Errorf(drydock.Invalid, "%q is not the name of a blob", k.Container+"/"+k.Name)
	}
	return nil
}

// Type is the type of a blob, named as in Azure's API.
type Type string

// The types of blob.
const (
	BlockBlob  Type = "BlockBlob"
	AppendBlob Type = "AppendBlob"
)

// Properties are what is known of a blob beside its content.
type Properties struct {
	Type     Type
	Size     int64
	ETag     string // with quotes
	Created  time.Time
	Modified time.Time
	// Headers are content headers as they were given, by their names in lower
	// case: content-type, content-encoding, …
	Headers  map[string]string
	Metadata map[string]string
	Writes   int  // of an append blob: how often something was added
	Sealed   bool // nothing will be added: always true of a block blob
}

// Attributes are what a writer says of a blob.
type Attributes struct {
	Headers  map[string]string
	Metadata map[string]string
	// MustBeNew fails with code Conflict when there is a blob already. IfMatch,
	// when not empty, fails likewise when there is none with that ETag.
	MustBeNew bool
	IfMatch   string
}

// Blob is a blob that is open for reading.
type Blob interface {
	io.ReaderAt
	io.Closer

	// Properties returns what is known at the moment.
	Properties() Properties

	// Wait returns when the blob is longer than size or sealed.
	Wait(ctx context.Context, size int64) (Properties, error)
}

// BlockRef names a block in the list that makes a blob.
type BlockRef struct {
	ID   string
	From BlockList
}

// BlockList says where a block is looked for.
type BlockList string

// The lists of blocks of a blob.
const (
	Committed   BlockList = "Committed"
	Uncommitted BlockList = "Uncommitted"
	Latest      BlockList = "Latest" // uncommitted, else committed
)

// Block is a block of a blob.
type Block struct {
	ID   string
	Size int64
}

// Store keeps blobs. Its methods may be called from several goroutines. A blob
// that is not there is an error with code NotFound.
type Store interface {
	// Put stores a block blob. When r fails nothing is changed, and what was read
	// is dropped.
	Put(ctx context.Context, key Key, r io.Reader, a Attributes) (Properties, error)

	// Stage keeps a block for a later Commit.
	Stage(ctx context.Context, key Key, id string, r io.Reader) error

	// Commit makes a block blob of blocks and drops those that are not named. A
	// block that is not there is an error with code Invalid.
	Commit(ctx context.Context, key Key, blocks []BlockRef, a Attributes) (Properties, error)

	// Blocks returns the blocks of a blob, and those that are staged.
	Blocks(ctx context.Context, key Key) (committed, staged []Block, err error)

	// Open opens a blob for reading.
	Open(ctx context.Context, key Key) (Blob, error)
}
