package oci

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
)

// blob passes requests for blobs and uploads on to distribution, with the path
// that was checked.
func (c *call) blob() error {
	path := "/v2/" + c.route.repository + "/blobs/"
	if c.route.kind == upload {
		path += "uploads/"
	} else if err := checkDigest(c.route.reference); err != nil {
		return err
	}
	if c.r.Method == http.MethodPost {
		if c.route.reference != "" {
			return methodNotAllowed(c.r)
		}
		if err := c.startUpload(); err != nil {
			return err
		}
		if c.r.URL.Query().Has("digest") && !c.r.URL.Query().Has("mount") {
			return c.pushBlob()
		}
	}
	a, err := c.server.app(c.registry)
	if err != nil {
		return err
	}
	f := &filter{ResponseWriter: c.w}
	r := c.r.Clone(logContext{context.WithValue(c.r.Context(), answerKey{}, f), a.logger})
	r.URL.Path, r.URL.RawPath = path+c.route.reference, ""
	if c.route.kind == upload {
		// Of a form, distribution would believe parameters in the body, which
		// nobody has checked.
		r.Header.Set("Content-Type", octetStream)
	}
	if c.r.Method == http.MethodHead {
		r.Header.Del("Range") // RFC 9110, 14.2: it is for GET alone
	}
	a.ServeHTTP(f, r)
	return f.problem()
}

// startUpload refuses uploads to a repository that may not be written to before
// any bytes flow, and forgets a mount from one that the caller may not read: the
// specification then has an upload begin.
func (c *call) startUpload() error {
	repository, err := c.server.options.Store.Repository(c.r.Context(), c.registry.ID, c.route.repository)
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
	case err != nil:
		return err
	case !repository.Attributes.Write:
		return drydock.Errorf(drydock.Conflict, "%s is locked: it may not be written to", c.route.repository)
	}
	query := c.r.URL.Query()
	if !query.Has("mount") && !query.Has("from") {
		return nil
	}
	from, allowed := c.mountSource()
	if allowed {
		if allowed, err = c.mayMount(from); err != nil {
			return err
		}
	}
	if !allowed {
		query.Del("mount")
		query.Del("from")
		query.Del("digest")
	}
	c.r.URL.RawQuery = query.Encode()
	return nil
}

// mayMount reports whether the caller may take blobs from a repository. A token
// that lacks it is challenged if another one could have it: clients then ask for
// both repositories at once.
func (c *call) mayMount(from Access) (bool, error) {
	allowed, err := c.grants(from)
	if err != nil || allowed {
		return allowed, err
	}
	allowed, err = c.credentialGrants(c.caller)(from)
	if err != nil || !allowed {
		return false, err
	}
	return false, c.challenge(Access{repositoryType, c.route.repository, []string{Pull, Push}},
		"insufficient_scope", "the token doesn't allow to mount from "+from.Name)
}

// pushBlob stores a blob that came whole with the POST.
func (c *call) pushBlob() error {
	asked := c.r.URL.Query().Get("digest")
	if err := checkDigest(asked); err != nil {
		return err
	}
	a, err := c.server.app(c.registry)
	if err != nil {
		return err
	}
	ctx := logContext{c.r.Context(), a.logger}
	b, err := a.content.blobs(ctx, c.route.repository)
	if err != nil {
		return err
	}
	body := &body{Reader: c.r.Body}
	d, err := b.upload(ctx, body, digest.Digest(asked))
	if err != nil && body.err != nil {
		return badRequest("the blob can't be read: " + body.err.Error())
	}
	if err != nil {
		return uploadProblem(err)
	}
	h := c.w.Header()
	h.Set("Location", "/v2/"+c.route.repository+"/blobs/"+d.Digest.String())
	h.Set("Docker-Content-Digest", d.Digest.String())
	h.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// body is a request's body that remembers why it could not be read.
type body struct {
	io.Reader
	err error
}

// Read reads on.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// uploadProblem gives an error of an upload its code.
func uploadProblem(err error) error {
	var wrong distribution.ErrBlobInvalidDigest
	if errors.As(err, &wrong) {
		return digestInvalid("the blob's digest is not " + wrong.Digest.String())
	}
	if errors.Is(err, distribution.ErrBlobInvalidLength) {
		return newProblem(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", err.Error())
	}
	var coded errcode.Error
	if errors.As(err, &coded) {
		d := coded.Code.Descriptor()
		return newProblem(d.HTTPStatusCode, d.Value, coded.Message)
	}
	return storageError(err)
}
