package blobs

import (
	"bytes"
	"crypto/md5" // the API has it, as a checksum
	"encoding/base64"
	"encoding/binary"
	"hash"
	"hash/crc64"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// maxMetadata bounds the metadata of a blob, in bytes; Azure's limit.
const maxMetadata = 8 << 10

var metadataForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (h *Handler) put(w http.ResponseWriter, r *http.Request, key Key, allowed Permission) error {
	if r.Header.Get("x-ms-blob-type") != string(BlockBlob) {
		return badHeader("x-ms-blob-type")
	}
	if r.Header.Get("x-ms-copy-source") != "" {
		return badHeader("x-ms-copy-source")
	}
	a, err := attributes(r, allowed)
	if err != nil {
		return err
	}
	body, err := h.body(w, r, h.MaxSize)
	if err != nil {
		return err
	}
	p, err := h.Store.Put(r.Context(), key, body, a)
	if err != nil {
		return err
	}
	created(w, p)
	return nil
}

// created answers that a blob was made.
func created(w http.ResponseWriter, p Properties) {
	w.Header().Set("ETag", p.ETag)
	w.Header().Set("Last-Modified", p.Modified.UTC().Format(http.TimeFormat))
	w.WriteHeader(http.StatusCreated)
}

// attributes reads what a request says of the blob that it makes.
func attributes(r *http.Request, allowed Permission) (Attributes, error) {
	a := Attributes{Headers: map[string]string{}, Metadata: map[string]string{}, IfMatch: r.Header.Get("If-Match")}
	for name, sent := range contentHeaders {
		if value := r.Header.Get(sent); value != "" {
			a.Headers[name] = value
		}
	}
	if value := r.Header.Get("Content-Type"); value != "" && a.Headers["content-type"] == "" && r.URL.Query().Get("comp") == "" {
		a.Headers["content-type"] = value
	}
	size := 0
	for name, values := range r.Header {
		const prefix = "X-Ms-Meta-"
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		name, value := strings.ToLower(name[len(prefix):]), strings.Join(values, ",")
		if !metadataForm.MatchString(name) {
			return a, &apiError{http.StatusBadRequest, "InvalidMetadata", "The name of a metadata header is not an identifier."}
		}
		a.Metadata[name] = value
		size += len(name) + len(value)
	}
	if size > maxMetadata {
		return a, &apiError{http.StatusBadRequest, "MetadataTooLarge", "The metadata is larger than 8 KiB."}
	}
	switch none := r.Header.Get("If-None-Match"); {
	case none == "*":
		a.MustBeNew = true
	case none != "":
		return a, badHeader("If-None-Match")
	}
	if !allowed.allows("w") {
		a.MustBeNew = true
	}
	return a, nil
}

// body returns the body of an upload of at most so many bytes, with the
// checksums that the client sent.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, most int64) (io.Reader, error) {
	switch {
	case r.ContentLength < 0:
		return nil, errLength
	case r.ContentLength > most:
		return nil, errTooLong
	}
	var body io.Reader = patientReader{h.patient(w), r.Body}
	var err error
	if body, err = checked(body, r.Header.Get("Content-MD5"), md5.New(), errMD5); err != nil { // see above
		return nil, err
	}
	return checked(body, r.Header.Get("x-ms-content-crc64"), &littleCRC{crc64.New(crc64.MakeTable(storagePolynomial))}, errCRC64)
}

// storagePolynomial is that of Azure Storage's CRC-64, reversed.
const storagePolynomial = 0x9A6C9329AC4BC9B5

// littleCRC is a CRC-64 whose sum is in little-endian order, as Azure sends it.
type littleCRC struct{ hash.Hash64 }

func (c *littleCRC) Sum(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, c.Sum64()) }

// checked returns a reader that fails at its end where the checksum of what was
// read is not the one given in base64; r itself when none is given.
func checked(r io.Reader, given string, sum hash.Hash, mismatch *apiError) (io.Reader, error) {
	if given == "" {
		return r, nil
	}
	want, err := base64.StdEncoding.DecodeString(given)
	if err != nil || len(want) != sum.Size() {
		return nil, mismatch
	}
	return &checkedReader{io.TeeReader(r, sum), sum, want, mismatch}, nil
}

type checkedReader struct {
	r        io.Reader
	sum      hash.Hash
	want     []byte
	mismatch *apiError
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err == io.EOF && !bytes.Equal(c.sum.Sum(nil), c.want) { // readers return it as it is
		return n, c.mismatch
	}
	return n, err
}
