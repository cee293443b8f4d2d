package blobs

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Handler serves blobs under the paths /container/blob. Its fields are set
// before its first request.
type Handler struct {
	Store  Store
	Signer *Signer
	Log    *slog.Logger
	Now    func() time.Time
	// MaxSize bounds the body of an upload in one request, in bytes.
	MaxSize int64
	// Stall is how long a client may send or take nothing; 2 minutes when 0.
	Stall time.Duration
}

var _ http.Handler = (*Handler)(nil)

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("x-ms-request-id", uuid.NewString())
	header.Set("x-ms-version", version(r))
	if id := r.Header.Get("x-ms-client-request-id"); id != "" && len(id) <= 1024 {
		header.Set("x-ms-client-request-id", id)
	}
	if err := h.serve(w, r); err != nil {
		h.fail(w, r, err)
	}
}

// version returns the version of the API that is answered: the client's.
func version(r *http.Request) string {
	if v := r.Header.Get("x-ms-version"); v != "" {
		if _, err := time.Parse(time.DateOnly, v); err == nil {
			return v
		}
	}
	return signedVersion
}

// serve carries out a request. An error means that nothing was answered yet.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	key, err := keyOfPath(r.URL.Path)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	allowed, err := h.Signer.check(key, query)
	if err != nil {
		return err
	}
	operation := r.Method + " " + query.Get("comp")
	switch r.Method {
	case http.MethodHead, http.MethodGet:
		if !allowed.allows("r") {
			return errPermission
		}
	case http.MethodPut:
		if !allowed.allows("cw") {
			return errPermission
		}
	}
	switch operation {
	case "HEAD ", "HEAD metadata", "GET metadata":
		return h.head(w, r, key)
	case "GET ":
		return h.get(w, r, key)
	case "GET follow":
		return h.follow(w, r, key)
	case "GET blocklist":
		return h.listBlocks(w, r, key)
	case "PUT ":
		return h.put(w, r, key, allowed)
	case "PUT block":
		return h.putBlock(w, r, key)
	case "PUT blocklist":
		return h.putBlockList(w, r, key, allowed)
	}
	if r.Method == http.MethodHead || r.Method == http.MethodGet || r.Method == http.MethodPut {
		return badQuery("comp")
	}
	return errVerb
}

func keyOfPath(path string) (Key, error) {
	container, name, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	key := Key{Container: container, Name: name}
	if !ok || key.check() != nil {
		return Key{}, errURI
	}
	return key, nil
}

// contentHeaders are the headers of content that are kept, by the names with
// which they are read, and their names in an upload.
var contentHeaders = map[string]string{
	"content-type":        "x-ms-blob-content-type",
	"content-encoding":    "x-ms-blob-content-encoding",
	"content-language":    "x-ms-blob-content-language",
	"content-disposition": "x-ms-blob-content-disposition",
	"cache-control":       "x-ms-blob-cache-control",
}

// describe sets the headers that say what a blob is.
func describe(header http.Header, p Properties) {
	header.Set("ETag", p.ETag)
	header.Set("Last-Modified", p.Modified.UTC().Format(http.TimeFormat))
	header.Set("x-ms-creation-time", p.Created.UTC().Format(http.TimeFormat))
	header.Set("x-ms-blob-type", string(p.Type))
	header.Set("x-ms-lease-status", "unlocked")
	header.Set("x-ms-lease-state", "available")
	header.Set("Accept-Ranges", "bytes")
	header.Set("Content-Type", "application/octet-stream")
	for name, value := range p.Headers {
		header.Set(name, value)
	}
	if p.Type == AppendBlob {
		header.Set("x-ms-blob-committed-block-count", strconv.Itoa(min(p.Writes, maxBlocks)))
	}
	for name, value := range p.Metadata {
		// The SDKs hand out the name as it is spelled here.
		header["x-ms-meta-"+name] = []string{value} // not in canonical form on purpose
	}
}

// matches holds a request's conditions for reading against a blob.
func matches(r *http.Request, p Properties) error {
	if match := r.Header.Get("If-Match"); match != "" && match != "*" && match != p.ETag {
		return errCondition
	}
	if none := r.Header.Get("If-None-Match"); none == "*" || none != "" && none == p.ETag {
		return &apiError{http.StatusNotModified, "ConditionNotMet", errCondition.message}
	}
	return nil
}
