package oci

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// answerKey is the key, in the context of a request that is passed on to
// distribution, of the http.ResponseWriter that it is answered with.
type answerKey struct{}

// send answers a request for a blob or a range of it. Of a file, distribution
// copies each byte once more than is needed, in small pieces.
func (b *blobs) send(ctx context.Context, w http.ResponseWriter, r *http.Request, canonical digest.Digest) error {
	answer, ok := ctx.Value(answerKey{}).(http.ResponseWriter)
	if !ok || !b.content.files {
		return b.BlobStore.ServeBlob(ctx, w, r, canonical)
	}
	file, err := b.content.file(ctx, canonical)
	if err != nil {
		return err
	}
	defer file.Close()
	h := answer.Header()
	h.Set("Content-Type", octetStream)
	h.Set("ETag", `"`+canonical.String()+`"`)
	h.Set("Cache-Control", "max-age=31536000") // a blob never changes
	http.ServeContent(largePieces{answer}, r, "", time.Time{}, file)
	return nil
}

// file opens the file of a blob.
func (c *content) file(ctx context.Context, d digest.Digest) (*os.File, error) {
	name := d.Encoded()
	r, err := c.driver.Reader(ctx, path.Join(storedBlobs, d.Algorithm().String(), name[:2], name, "data"), 0)
	if err != nil {
		return nil, err
	}
	file, ok := r.(*os.File)
	if !ok {
		return nil, errors.Join(errors.New("the storage of blobs gives no files"), r.Close())
	}
	return file, nil
}

// pieceSize is in how large pieces a file is copied.
const pieceSize = 256 << 10

// pieces are buffers of pieceSize bytes that nobody uses.
var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// largePieces is a response that is copied to in large pieces. To have the kernel
// copy a file is no way to be quicker: it takes half the processor's time, but on
// loopback a client waits longer for its bytes.
type largePieces struct{ http.ResponseWriter }

// ReadFrom implements io.ReaderFrom.
func (w largePieces) ReadFrom(r io.Reader) (int64, error) {
	piece, _ := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	// Without what else they can do, so that the piece is used.
	return io.CopyBuffer(struct{ io.Writer }{w.ResponseWriter}, struct{ io.Reader }{r}, piece[:])
}
