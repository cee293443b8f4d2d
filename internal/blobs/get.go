package blobs

import (
	"context"
	"crypto/md5" // the API has it, as a checksum
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// maxMD5 is the size up to which a client may ask for a part's MD5.
const maxMD5 = 4 << 20

func (h *Handler) head(w http.ResponseWriter, r *http.Request, key Key) error {
	b, err := h.Store.Open(r.Context(), key)
	if err != nil {
		return err
	}
	defer b.Close()
	p := b.Properties()
	if err := matches(r, p); err != nil {
		return err
	}
	describe(w.Header(), p)
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", strconv.FormatInt(p.Size, 10))
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (h *Handler) get(w http.ResponseWriter, r *http.Request, key Key) error {
	b, err := h.Store.Open(r.Context(), key)
	if err != nil {
		return err
	}
	defer b.Close()
	p := b.Properties()
	if err := matches(r, p); err != nil {
		return err
	}
	part, partial, err := requestedSpan(r, p.Size)
	if err != nil {
		return err
	}
	describe(w.Header(), p)
	if err := addMD5(w.Header(), r, b, part); err != nil {
		return err
	}
	w.Header().Set("Content-Length", strconv.FormatInt(part.to-part.from, 10))
	if partial {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.from, part.to-1, p.Size))
		w.WriteHeader(http.StatusPartialContent)
	} else {
		w.WriteHeader(http.StatusOK)
	}
	patient := h.patient(w)
	defer patient.end()
	_, err = io.Copy(patient, io.NewSectionReader(b, part.from, part.to-part.from))
	if err != nil && r.Context().Err() == nil {
		h.Log.WarnContext(r.Context(), "sending a blob", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler) // the client must see that it was cut off
	}
	return nil
}

// addMD5 adds the MD5 of a part, if the client asks for it.
func addMD5(header http.Header, r *http.Request, b Blob, part span) error {
	if r.Header.Get("x-ms-range-get-content-md5") != "true" {
		return nil
	}
	if part.to-part.from > maxMD5 {
		return badHeader("x-ms-range-get-content-md5")
	}
	sum := md5.New() // see above
	if _, err := io.Copy(sum, io.NewSectionReader(b, part.from, part.to-part.from)); err != nil {
		return fmt.Errorf("reading a blob: %w", err)
	}
	header.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	return nil
}

// follow answers with a blob's bytes from `offset` on as they come, until it is
// sealed. It is Drydock's own. The metadata comes as trailers, with a trailer
// x-ms-sealed: true when the blob is whole.
func (h *Handler) follow(w http.ResponseWriter, r *http.Request, key Key) error {
	at, err := strconv.ParseInt("0"+r.URL.Query().Get("offset"), 10, 64)
	if err != nil {
		return badQuery("offset")
	}
	b, err := h.Store.Open(r.Context(), key)
	if err != nil {
		return err
	}
	defer b.Close()
	describe(w.Header(), Properties{Type: AppendBlob, ETag: b.Properties().ETag, Headers: b.Properties().Headers})
	for _, name := range []string{"ETag", "Last-Modified", "x-ms-creation-time", "x-ms-blob-committed-block-count", "Accept-Ranges"} {
		w.Header().Del(name)
	}
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	p, err := h.send(r.Context(), w, b, at)
	if err != nil {
		panic(http.ErrAbortHandler) // the client must see that there is more
	}
	for name, value := range p.Metadata {
		w.Header().Set(http.TrailerPrefix+"x-ms-meta-"+name, value)
	}
	w.Header().Set(http.TrailerPrefix+"x-ms-sealed", "true")
	return nil
}

// send sends what is there from at on, and what comes, until the blob is
// sealed.
func (h *Handler) send(ctx context.Context, w http.ResponseWriter, b Blob, at int64) (Properties, error) {
	patient := h.patient(w)
	defer patient.end()
	control := patient.control
	if err := control.Flush(); err != nil {
		return Properties{}, fmt.Errorf("sending a log: %w", err)
	}
	for {
		p, err := b.Wait(ctx, at)
		if err != nil {
			return p, err
		}
		if p.Size > at {
			n, err := io.Copy(patient, io.NewSectionReader(b, at, p.Size-at))
			if err != nil {
				return p, fmt.Errorf("sending a log: %w", err)
			}
			at += n
			if err := control.Flush(); err != nil {
				return p, fmt.Errorf("sending a log: %w", err)
			}
			continue
		}
		if p.Sealed {
			return p, nil
		}
	}
}
