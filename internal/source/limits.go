package source

import (
	"io"
	"sync/atomic"

	"github.com/docker/go-units"

	"github.com/drydockhq/drydock"
)

// Limits bound what an archive or artifact may unpack to. They do not bound git
// repositories.
type Limits struct {
	Bytes   int64 // unpacked, in all; 8 GiB when 0
	Entries int   // files, folders and links; 500 000 when 0
	// Ratio is how many bytes may come of one compressed byte, looked at from
	// the first 64 MiB on; 500 when 0. Source code has a ratio of about 5, a
	// bomb one of 1000.
	Ratio int64
}

// ratioFrom is how much must have been unpacked before the ratio counts.
const ratioFrom = 64 << 20

// withDefaults fills the fields that are zero.
func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = 8 << 30
	}
	if l.Entries == 0 {
		l.Entries = 500_000
	}
	if l.Ratio == 0 {
		l.Ratio = 500
	}
	return l
}

// budget is what is left of the limits during one fetch.
type budget struct {
	limits  Limits
	name    string // of the source, for messages
	plain   int64  // bytes unpacked
	entries int
	packed  atomic.Int64 // bytes read, maybe by another goroutine
}

// entry counts one more file.
func (b *budget) entry() error {
	b.entries++
	if b.entries > b.limits.Entries {
		return drydock.Errorf(drydock.Invalid, "%s holds more than %d files, the limit on a source", b.name, b.limits.Entries)
	}
	return nil
}

// room reports whether size more bytes would go beyond the limit.
func (b *budget) room(size int64) error {
	if size > b.limits.Bytes-b.plain {
		return drydock.Errorf(drydock.Invalid, "%s unpacks to more than %s, the limit on a source", b.name, units.BytesSize(float64(b.limits.Bytes)))
	}
	return nil
}

// unpacked counts n bytes that came of a compressed stream.
func (b *budget) unpacked(n int) error {
	if err := b.room(int64(n)); err != nil {
		return err
	}
	b.plain += int64(n)
	packed := max(b.packed.Load(), 1)
	if b.plain > ratioFrom && b.plain/packed > b.limits.Ratio {
		return drydock.Errorf(drydock.Invalid, "%s unpacks to more than %d times its size, the limit on a source", b.name, b.limits.Ratio)
	}
	return nil
}

// packedReader counts the bytes before decompression.
type packedReader struct {
	r io.Reader
	b *budget
}

func (p packedReader) Read(buf []byte) (int, error) {
	n, err := p.r.Read(buf)
	p.b.packed.Add(int64(n))
	return n, err
}

// plainReader counts the bytes after decompression and ends at the limits.
type plainReader struct {
	r io.Reader
	b *budget
}

func (p plainReader) Read(buf []byte) (int, error) {
	n, err := p.r.Read(buf)
	if over := p.b.unpacked(n); over != nil {
		return 0, over
	}
	return n, err
}
