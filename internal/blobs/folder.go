package blobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Folder keeps blobs in files: a folder for each, with its record and its
// parts. One process at a time may use it.
type Folder struct {
	root *os.Root
	now  func() time.Time
	// maxSize bounds a blob with its staged blocks, in bytes.
	maxSize int64

	mu      sync.Mutex // guards the maps, and each change of a record
	staged  map[Key]*staging
	streams map[Key]*stream
}

var _ Store = (*Folder)(nil)

// FolderOptions say how a folder keeps blobs.
type FolderOptions struct {
	MaxSize int64            // of a block blob, in bytes; 0 for 16 GiB
	Now     func() time.Time // nil for time.Now
}

// OpenFolder opens a folder and makes it when missing. What a killed process
// was writing is removed.
func OpenFolder(dir string, o FolderOptions) (*Folder, error) {
	if o.MaxSize == 0 {
		o.MaxSize = 16 << 30
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of blobs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of blobs: %w", err)
	}
	f := &Folder{
		root: root, now: o.Now, maxSize: o.MaxSize,
		staged: map[Key]*staging{}, streams: map[Key]*stream{},
	}
	if err := f.clean(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return f, nil
}

// Close releases the folder. Open blobs and appenders must be closed before.
func (f *Folder) Close() error { return f.root.Close() }

// Put implements Store.
func (f *Folder) Put(ctx context.Context, key Key, r io.Reader, a Attributes) (Properties, error) {
	if err := key.check(); err != nil {
		return Properties{}, err
	}
	p, err := f.receive(ctx, key, "part-", r, f.maxSize)
	if err != nil {
		return Properties{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	properties, err := f.replace(key, []part{p}, a)
	if err != nil {
		return Properties{}, errors.Join(err, f.root.Remove(filepath.Join(key.folder(), p.File)))
	}
	return properties, nil
}

// receive writes what r gives to a file of the blob's folder, whose name begins
// with prefix.
func (f *Folder) receive(ctx context.Context, key Key, prefix string, r io.Reader, most int64) (_ part, err error) {
	if err := f.root.MkdirAll(key.folder(), 0o700); err != nil {
		return part{}, fmt.Errorf("making the folder of a blob: %w", err)
	}
	p := part{File: prefix + rand.Text()}
	name := filepath.Join(key.folder(), p.File)
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return part{}, fmt.Errorf("writing a blob: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, f.root.Remove(name))
			_ = f.root.Remove(key.folder()) // it stays unless it is empty
		}
	}()
	p.Size, err = io.Copy(file, io.LimitReader(contextReader{ctx, r}, most+1))
	switch {
	case err != nil:
		return part{}, fmt.Errorf("writing a blob: %w", err)
	case p.Size > most:
		return part{}, errTooLarge(most)
	}
	if err := file.Sync(); err != nil {
		return part{}, fmt.Errorf("writing a blob: %w", err)
	}
	return p, nil
}

// tooLarge is the error of a blob that is larger than is allowed.
type tooLarge struct{ most int64 }

func errTooLarge(most int64) error {
	return &drydock.Error{Code: drydock.Invalid, Message: fmt.Sprintf("the blob is larger than %d bytes", most), Err: &tooLarge{most}}
}

func (e *tooLarge) Error() string { return fmt.Sprintf("more than %d bytes", e.most) }

// replace makes parts the content of a block blob and removes what was there.
func (f *Folder) replace(key Key, parts []part, a Attributes) (Properties, error) {
	old, err := f.read(key)
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		return Properties{}, err
	}
	if err := a.check(old); err != nil {
		return Properties{}, err
	}
	now := f.now().UTC()
	r := &record{
		Type: BlockBlob, ETag: newETag(), Created: now, Modified: now, Sealed: true,
		Headers: maps.Clone(a.Headers), Metadata: maps.Clone(a.Metadata), Parts: parts,
	}
	if old != nil {
		r.Created = old.Created
	}
	if err := f.write(key, r); err != nil {
		return Properties{}, err
	}
	return r.properties(), f.removeParts(key, old, parts)
}

// removeParts removes the files of a record that is no more, but for those that
// are kept. Readers that have them open read on.
func (f *Folder) removeParts(key Key, old *record, kept []part) error {
	if old == nil {
		return nil
	}
	keep := map[string]bool{}
	for _, p := range kept {
		keep[p.File] = true
	}
	var errs []error
	for _, p := range old.Parts {
		if !keep[p.File] {
			keep[p.File] = true
			errs = append(errs, f.root.Remove(filepath.Join(key.folder(), p.File)))
		}
	}
	return errors.Join(errs...)
}

// errExists and errNotMet are the causes of refused conditions.
var (
	errExists = errors.New("the blob exists")
	errNotMet = errors.New("the condition is not met")
)

// check holds the conditions against the blob that is there; nil for none.
func (a Attributes) check(old *record) error {
	switch {
	case old != nil && a.MustBeNew:
		return &drydock.Error{Code: drydock.Conflict, Message: "the blob exists already", Err: errExists}
	case a.IfMatch != "" && (old == nil || a.IfMatch != "*" && a.IfMatch != old.ETag):
		return &drydock.Error{Code: drydock.Conflict, Message: "the blob is not the one that is expected", Err: errNotMet}
	case old != nil && old.Type != BlockBlob:
		return drydock.Errorf(drydock.Conflict, "the blob is a log, which only grows")
	}
	return nil
}

func newETag() string { return `"0x` + strings.ToUpper(rand.Text()[:16]) + `"` }

// contextReader reads until its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
