package cli_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/drydockhq/drydock"
)

// blobs are the blobs of a storage account of Azure's, as far as clients of ACR
// use them.
type blobs struct {
	mu      sync.Mutex
	blobs   map[string][]byte
	blocks  map[string][]byte
	ends    map[string]string // of logs
	follows bool              // whether there is the stream of Drydock's own
	late    int               // how many questions after a log come before it is there
	stream  http.HandlerFunc  // answers for that stream, unless nil
}

func newBlobs() *blobs {
	return &blobs{blobs: map[string][]byte{}, blocks: map[string][]byte{}, ends: map[string]string{}}
}

var logEnds = map[drydock.RunStatus]string{
	drydock.RunSucceeded: "successful", drydock.RunFailed: "failed", drydock.RunCanceled: "canceled",
	drydock.RunTimeout: "timedout", drydock.RunError: "internalerror",
}

func (b *blobs) endLog(registry, run string, e ending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	path := "/logs/" + registry + "/" + run + ".log"
	b.blobs[path], b.ends[path] = []byte(e.log), logEnds[e.status]
}

// ServeHTTP implements http.Handler.
func (b *blobs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.stream != nil && r.URL.Query().Has("follow") {
		b.stream(w, r)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.URL.Query().Get("sig") == "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.Method == http.MethodPut {
		b.put(w, r)
		return
	}
	content, ok := b.blobs[r.URL.Path]
	if b.late > 0 {
		b.late--
		ok = false
	}
	switch {
	case !ok, r.URL.Query().Has("follow") && !b.follows:
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Query().Has("follow"):
		var offset int
		if _, err := fmt.Sscan(r.URL.Query().Get("offset"), &offset); err != nil || offset > len(content) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		http.NewResponseController(w).Flush() // or there would be no trailers
		w.Write(content[offset:])
		w.Header().Set(http.TrailerPrefix+"x-ms-meta-Complete", b.ends[r.URL.Path])
		w.Header().Set(http.TrailerPrefix+"x-ms-sealed", "true")
	default:
		b.get(w, r, content)
	}
}

func (b *blobs) get(w http.ResponseWriter, r *http.Request, content []byte) {
	w.Header().Set("x-ms-blob-type", "AppendBlob")
	if end := b.ends[r.URL.Path]; end != "" {
		w.Header().Set("x-ms-meta-Complete", end)
	}
	if asked := r.Header.Get("x-ms-range"); asked != "" {
		var from, to int
		if _, err := fmt.Sscanf(asked, "bytes=%d-%d", &from, &to); err != nil || to >= len(content) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(content)))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(content[from : to+1])
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	if r.Method == http.MethodGet {
		w.Write(content)
	}
}

func (b *blobs) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch query := r.URL.Query(); query.Get("comp") {
	case "block":
		b.blocks[query.Get("blockid")] = body
	case "blocklist":
		var list struct {
			Latest []string `xml:"Latest"`
		}
		if xml.Unmarshal(body, &list) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var all strings.Builder
		for _, id := range list.Latest {
			all.Write(b.blocks[id])
		}
		b.blobs[r.URL.Path] = []byte(all.String())
	default:
		if r.Header.Get("x-ms-blob-type") != "BlockBlob" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		b.blobs[r.URL.Path] = body
	}
	w.WriteHeader(http.StatusCreated)
}

// upload returns the only blob that was uploaded.
func (b *blobs) upload() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for path, content := range b.blobs {
		if strings.HasPrefix(path, "/source/") {
			return content
		}
	}
	return nil
}
