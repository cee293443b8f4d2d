package registry

import (
	"net/http"
	"strings"
)

// Kind says what a request is about.
type Kind string

// The kinds of requests.
const (
	KindPing     Kind = "ping"     // /v2/
	KindManifest Kind = "manifest" // /v2/REPOSITORY/manifests/REFERENCE
	KindBlob     Kind = "blob"     // /v2/REPOSITORY/blobs/DIGEST
	KindUpload   Kind = "upload"   // /v2/REPOSITORY/blobs/uploads/…
	KindTags     Kind = "tags"     // /v2/REPOSITORY/tags/list
	KindCatalog  Kind = "catalog"  // /v2/_catalog
	KindToken    Kind = "token"    // /token
	KindOther    Kind = "other"
)

// Request is a request that reached the registry.
type Request struct {
	Method     string
	Path       string // with the query
	Kind       Kind
	Repository string // "" where the kind has none
	Reference  string // a tag or a digest; of an upload its id, "" when it starts
	User       string // of Basic credentials, whether right or wrong
	UserAgent  string
	Status     int   // 0 while there is no answer
	BodyBytes  int64 // read of the request's body so far
}

// newRequest returns what is known of r before it is answered.
func newRequest(r *http.Request) *Request {
	kind, repository, reference := route(r.URL.Path)
	user, _, _ := r.BasicAuth()
	return &Request{
		Method: r.Method, Path: r.URL.RequestURI(), Kind: kind, Repository: repository, Reference: reference,
		User: user, UserAgent: r.UserAgent(),
	}
}

// route takes a path of the registry API apart.
func route(path string) (kind Kind, repository, reference string) {
	rest, ok := strings.CutPrefix(path, "/v2/")
	switch {
	case path == tokenPath:
		return KindToken, "", ""
	case path == "/v2" || ok && rest == "":
		return KindPing, "", ""
	case !ok:
		return KindOther, "", ""
	case rest == "_catalog":
		return KindCatalog, "", ""
	}
	if repository, ok := strings.CutSuffix(rest, "/tags/list"); ok {
		return KindTags, repository, ""
	}
	for _, part := range []struct {
		infix string
		kind  Kind
	}{{"/blobs/uploads/", KindUpload}, {"/blobs/", KindBlob}, {"/manifests/", KindManifest}} {
		if i := strings.LastIndex(rest, part.infix); i > 0 {
			return part.kind, rest[:i], rest[i+len(part.infix):]
		}
	}
	return KindOther, "", ""
}

// Counts are numbers of answered requests. Those answered with 401 are in
// Unauthorized only; all others count, whatever the answer, unless it says
// otherwise.
type Counts struct {
	Pings           int
	ManifestGets    int
	ManifestHeads   int
	ManifestPuts    int
	ManifestDeletes int
	BlobGets        int
	BlobHeads       int
	UploadStarts    int   // uploads of a blob that began: its content was not yet there
	Uploads         int   // uploads of a blob that were completed
	Mounts          int   // blobs taken from another repository instead of an upload
	UploadedBytes   int64 // of blobs, in requests that succeeded
	Tokens          int   // tokens given
	Unauthorized    int
}

// add counts the request.
func (c *Counts) add(r *Request) {
	ok := r.Status >= 200 && r.Status < 300
	switch {
	case r.Status == 0:
	case r.Status == http.StatusUnauthorized:
		c.Unauthorized++
	case r.Kind == KindPing:
		c.Pings++
	case r.Kind == KindToken && ok:
		c.Tokens++
	case r.Kind == KindManifest:
		c.addMethod(r.Method, &c.ManifestGets, &c.ManifestHeads, &c.ManifestPuts, &c.ManifestDeletes)
	case r.Kind == KindBlob:
		c.addMethod(r.Method, &c.BlobGets, &c.BlobHeads, nil, nil)
	case r.Kind == KindUpload && ok:
		c.addUpload(r)
	}
}

func (c *Counts) addMethod(method string, get, head, put, del *int) {
	counter := map[string]*int{
		http.MethodGet: get, http.MethodHead: head, http.MethodPut: put, http.MethodDelete: del,
	}[method]
	if counter != nil {
		*counter++
	}
}

// addUpload counts a request of an upload that succeeded.
func (c *Counts) addUpload(r *Request) {
	created := r.Status == http.StatusCreated
	switch {
	case r.Method == http.MethodPost && created && strings.Contains(r.Path, "mount="):
		c.Mounts++
		return
	case r.Method == http.MethodPost:
		c.UploadStarts++
	}
	if created {
		c.Uploads++
	}
	c.UploadedBytes += r.BodyBytes
}

// Sub returns what was counted since the earlier counts o.
func (c Counts) Sub(o Counts) Counts {
	return Counts{
		Pings:           c.Pings - o.Pings,
		ManifestGets:    c.ManifestGets - o.ManifestGets,
		ManifestHeads:   c.ManifestHeads - o.ManifestHeads,
		ManifestPuts:    c.ManifestPuts - o.ManifestPuts,
		ManifestDeletes: c.ManifestDeletes - o.ManifestDeletes,
		BlobGets:        c.BlobGets - o.BlobGets,
		BlobHeads:       c.BlobHeads - o.BlobHeads,
		UploadStarts:    c.UploadStarts - o.UploadStarts,
		Uploads:         c.Uploads - o.Uploads,
		Mounts:          c.Mounts - o.Mounts,
		UploadedBytes:   c.UploadedBytes - o.UploadedBytes,
		Tokens:          c.Tokens - o.Tokens,
		Unauthorized:    c.Unauthorized - o.Unauthorized,
	}
}
