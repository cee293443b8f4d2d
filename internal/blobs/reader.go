package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

// Open implements Store.
func (f *Folder) Open(_ context.Context, key Key) (Blob, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.read(key)
	if err != nil {
		return nil, err
	}
	b := &blob{folder: f, key: key, record: r}
	for _, p := range r.Parts {
		b.ends = append(b.ends, b.end()+p.Size)
	}
	if len(r.Parts) > 0 {
		if _, err := b.part(0); err != nil {
			return nil, err
		}
	}
	if r.Sealed {
		return b, nil
	}
	if b.stream, err = f.openStream(key, r); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// blob is an open blob: the files of its parts, one after the other. One file
// is open at a time, since a blob may have many thousands.
type blob struct {
	folder *Folder
	key    Key
	record *record
	ends   []int64 // where each part ends in the blob
	stream *stream // nil for one that was sealed when it was opened

	mu   sync.Mutex
	file *os.File
	name string // of file
}

func (b *blob) end() int64 {
	if len(b.ends) == 0 {
		return 0
	}
	return b.ends[len(b.ends)-1]
}

// part opens the file of a part, with mu held.
func (b *blob) part(i int) (*os.File, error) {
	name := b.record.Parts[i].File
	if b.file != nil && b.name == name {
		return b.file, nil
	}
	file, err := b.folder.root.Open(filepath.Join(b.key.folder(), name))
	if err != nil {
		return nil, fmt.Errorf("opening a blob: %w", err)
	}
	if b.file != nil {
		err = b.file.Close()
	}
	b.file, b.name = file, name
	return file, err
}

// ReadAt implements io.ReaderAt.
func (b *blob) ReadAt(p []byte, at int64) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stream != nil {
		return b.file.ReadAt(p, at)
	}
	n := 0
	for n < len(p) {
		i := sort.Search(len(b.ends), func(i int) bool { return b.ends[i] > at })
		if i == len(b.ends) {
			return n, io.EOF
		}
		file, err := b.part(i)
		if err != nil {
			return n, err
		}
		most := min(int64(len(p)-n), b.ends[i]-at)
		m, err := file.ReadAt(p[n:n+int(most)], at-b.ends[i]+b.record.Parts[i].Size)
		n, at = n+m, at+int64(m)
		if err != nil && !(errors.Is(err, io.EOF) && int64(m) == most) {
			return n, fmt.Errorf("reading a blob: %w", err)
		}
	}
	return n, nil
}

// Properties implements Blob.
func (b *blob) Properties() Properties {
	if b.stream != nil {
		p, _ := b.stream.properties()
		return p
	}
	return b.record.properties()
}

// Wait implements Blob.
func (b *blob) Wait(ctx context.Context, size int64) (Properties, error) {
	if b.stream != nil {
		return b.stream.wait(ctx, size)
	}
	return b.Properties(), nil
}

// Close implements Blob.
func (b *blob) Close() error {
	if b.stream != nil {
		b.stream.release()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}
