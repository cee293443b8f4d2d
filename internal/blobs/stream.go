package blobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/drydockhq/drydock"
)

// streamFile holds the content of an append blob.
const streamFile = "stream"

// stream is an append blob that grows, shared by its writer and its readers.
type stream struct {
	folder *Folder
	key    Key
	uses   int // guarded by folder.mu

	mu      sync.Mutex
	record  record
	size    int64
	writing bool
	changed chan struct{} // closed and replaced at each change
}

// properties returns the present ones, and what tells of the next change.
func (s *stream) properties() (Properties, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.record.properties()
	p.Size = s.size
	p.Metadata = maps.Clone(p.Metadata)
	return p, s.changed
}

// tell wakes those who wait, with mu held.
func (s *stream) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// openStream returns the stream of an append blob that is not sealed, with
// folder.mu held.
func (f *Folder) openStream(key Key, r *record) (*stream, error) {
	s := f.streams[key]
	if s == nil {
		info, err := f.root.Stat(filepath.Join(key.folder(), streamFile))
		if err != nil {
			return nil, fmt.Errorf("opening a log: %w", err)
		}
		s = &stream{folder: f, key: key, record: *r, size: info.Size(), changed: make(chan struct{})}
		f.streams[key] = s
	}
	s.uses++
	return s, nil
}

func (s *stream) release() {
	s.folder.mu.Lock()
	defer s.folder.mu.Unlock()
	s.drop()
}

// drop is release with folder.mu held.
func (s *stream) drop() {
	if s.uses--; s.uses == 0 && s.folder.streams[s.key] == s {
		delete(s.folder.streams, s.key)
	}
}

// Appender adds to an append blob. Its methods may be called from several
// goroutines.
type Appender struct {
	stream *stream
	file   *os.File
	late   lateBytes // guarded by stream.mu
}

// Append opens an append blob for writing, at its end, and makes it when it is
// missing. One that was sealed is open again. A blob has one appender at a time;
// the error of a second has code Conflict.
func (f *Folder) Append(_ context.Context, key Key, a Attributes) (*Appender, error) {
	if err := key.check(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.unsealed(key, a)
	if err != nil {
		return nil, err
	}
	s, err := f.openStream(key, r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing {
		s.drop()
		return nil, drydock.Errorf(drydock.Conflict, "the log %s/%s is being written already", key.Container, key.Name)
	}
	file, err := f.root.OpenFile(filepath.Join(key.folder(), streamFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		s.drop()
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	if s.record.Sealed {
		s.record = *r
		s.tell()
	}
	s.writing = true
	return &Appender{stream: s, file: file}, nil
}

// Create makes an empty append blob, unless there is a blob already, so that it
// can be read before somebody writes to it.
func (f *Folder) Create(_ context.Context, key Key, a Attributes) error {
	if err := key.check(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.read(key)
	if drydock.CodeOf(err) == drydock.NotFound {
		_, err = f.unsealed(key, a)
	}
	return err
}

// unsealed returns the record of an append blob that can be added to.
func (f *Folder) unsealed(key Key, a Attributes) (*record, error) {
	r, err := f.read(key)
	switch {
	case err == nil && r.Type != AppendBlob:
		return nil, drydock.Errorf(drydock.Conflict, "the blob %s/%s is no log", key.Container, key.Name)
	case err == nil && !r.Sealed:
		return r, nil
	case err != nil && drydock.CodeOf(err) != drydock.NotFound:
		return nil, err
	case err != nil:
		now := f.now().UTC()
		r = &record{Type: AppendBlob, Created: now, Modified: now, Headers: maps.Clone(a.Headers), Parts: []part{{File: streamFile}}}
		if err := f.root.MkdirAll(key.folder(), 0o700); err != nil {
			return nil, fmt.Errorf("making a log: %w", err)
		}
		if err := f.writeFile(filepath.Join(key.folder(), streamFile), nil); err != nil {
			return nil, fmt.Errorf("making a log: %w", err)
		}
	}
	r.ETag, r.Sealed, r.Metadata, r.Parts[0].Size = newETag(), false, maps.Clone(a.Metadata), 0
	return r, f.write(key, r)
}

// Write adds p to the blob and wakes its readers. While the disk is full, up to
// maxLate bytes wait in memory for room; a write beyond that fails and is lost,
// which the blob says when there is room again.
func (a *Appender) Write(p []byte) (int, error) {
	a.stream.mu.Lock()
	defer a.stream.mu.Unlock()
	n := 0
	err := a.flush()
	if err == nil {
		n, err = a.add(p)
	}
	if !diskFull(err) {
		return n, err
	}
	if !a.late.hold(p[n:]) {
		return n, err
	}
	return len(p), nil
}

// flush adds what waits for room on the disk, with the stream's mu held.
func (a *Appender) flush() error {
	for text := a.late.next(); len(text) > 0; text = a.late.next() {
		n, err := a.add(text)
		a.late.done(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// add is Write with the stream's mu held, and without patience.
func (a *Appender) add(p []byte) (int, error) {
	s := a.stream
	n, err := a.file.Write(p)
	if n > 0 {
		s.size += int64(n)
		s.record.Writes++
		s.record.ETag, s.record.Modified = newETag(), s.folder.now().UTC()
		s.tell()
	}
	if err != nil {
		return n, fmt.Errorf("writing a log: %w", err)
	}
	return n, nil
}

// Seal says that the blob is whole: its metadata and its last bytes are there
// for readers in one instant. It closes the appender.
func (a *Appender) Seal(metadata map[string]string) error {
	s := a.stream
	s.mu.Lock()
	err := a.flush()
	sealed := s.record
	sealed.Metadata, sealed.Sealed = maps.Clone(metadata), true
	sealed.ETag, sealed.Modified = newETag(), s.folder.now().UTC()
	sealed.Parts = []part{{File: streamFile, Size: s.size}}
	if err == nil {
		err = a.file.Sync()
	}
	if err == nil {
		err = s.folder.write(s.key, &sealed)
	}
	if err == nil {
		s.record = sealed
		s.tell()
	}
	s.mu.Unlock()
	if err != nil {
		return errors.Join(fmt.Errorf("ending a log: %w", err), a.Close())
	}
	return a.Close()
}

// Close ends the writing without a statement: the blob can be added to again.
// It has no effect after the first time.
func (a *Appender) Close() error {
	s := a.stream
	s.mu.Lock()
	open := a.file != nil
	file := a.file
	var err error
	if open {
		err = a.flush()
		s.writing, a.file = false, nil
	}
	s.mu.Unlock()
	if !open {
		return nil
	}
	s.release()
	return errors.Join(err, file.Close())
}

// wait returns when the stream is longer than size or sealed.
func (s *stream) wait(ctx context.Context, size int64) (Properties, error) {
	for {
		p, changed := s.properties()
		if p.Size > size || p.Sealed {
			return p, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return p, context.Cause(ctx)
		}
	}
}
