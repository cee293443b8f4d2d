package oci

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/drydockhq/drydock"
)

// manifest answers requests for one manifest.
func (c *call) manifest() error {
	if isDigest(c.route.reference) {
		if err := checkDigest(c.route.reference); err != nil {
			return err
		}
	} else if !drydock.ValidTag(c.route.reference) {
		if c.r.Method == http.MethodPut {
			return newProblem(http.StatusBadRequest, "TAG_INVALID", "not a tag: "+strconv.Quote(c.route.reference))
		}
		return newProblem(http.StatusNotFound, "MANIFEST_UNKNOWN", "there is no such tag")
	}
	switch c.r.Method {
	case http.MethodPut:
		return c.putManifest()
	case http.MethodDelete:
		return c.deleteManifest()
	}
	return c.getManifest()
}

// getManifest answers with the bytes that were pushed, whatever the client
// accepts: their digest is what was asked for.
func (c *call) getManifest() error {
	m, err := c.server.options.Store.Manifest(c.r.Context(), c.ref())
	if err != nil {
		return err
	}
	if !m.Effective.Read {
		return drydock.Errorf(drydock.Conflict, "%s is locked: it may not be read", c.route.repository)
	}
	h := c.w.Header()
	etag := `"` + m.Digest + `"`
	h.Set("Docker-Content-Digest", m.Digest)
	h.Set("Etag", etag)
	if slices.Contains(c.r.Header.Values("If-None-Match"), etag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", m.MediaType)
	h.Set("Content-Length", strconv.Itoa(len(m.Content)))
	h.Set("X-Content-Type-Options", "nosniff")
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method != http.MethodHead {
		c.w.Write(m.Content) // a client that is gone needs no answer
	}
	return nil
}

// putManifest stores a manifest with its tag, or by digest with the tags of the
// parameters.
func (c *call) putManifest() error {
	content, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxManifest))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return newProblem(http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", "the manifest is larger than 4 MiB")
	}
	if err != nil {
		return badRequest("the manifest can't be read: " + err.Error())
	}
	m, err := parseManifest(c.r.Header.Get("Content-Type"), content)
	if err != nil {
		return err
	}
	tags, asked, err := c.pushedTags()
	if err != nil {
		return err
	}
	m.Registry, m.Repository, m.Digest = c.registry.ID, c.route.repository, digestLike(asked, content)
	if asked != "" && asked != m.Digest {
		return digestInvalid("the manifest's digest is " + m.Digest)
	}
	if err := c.addPlatform(&m); err != nil {
		return err
	}
	if err := c.server.options.Store.PutManifest(c.r.Context(), m, tags, c.actor()); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Location", "/v2/"+m.Repository+"/manifests/"+m.Digest)
	h.Set("Docker-Content-Digest", m.Digest)
	if m.Subject != "" {
		h.Set("OCI-Subject", m.Subject)
	}
	if asked != "" {
		for _, tag := range tags {
			h.Add("OCI-Tag", tag)
		}
	}
	h.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// pushedTags returns the tags that a push is for, and the digest if it is by
// digest.
func (c *call) pushedTags() (tags []string, digest string, err error) {
	if !isDigest(c.route.reference) {
		return []string{c.route.reference}, "", nil
	}
	for _, tag := range c.r.URL.Query()["tag"] {
		if !drydock.ValidTag(tag) {
			return nil, "", newProblem(http.StatusBadRequest, "TAG_INVALID", "not a tag: "+strconv.Quote(tag))
		}
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags, c.route.reference, nil
}

// addPlatform reads the platform of an image from its config.
func (c *call) addPlatform(m *drydock.Manifest) error {
	a, err := c.server.app(c.registry)
	if err != nil {
		return err
	}
	ctx := logContext{c.r.Context(), a.logger}
	b, err := a.content.blobs(ctx, c.route.repository)
	if err != nil {
		return err
	}
	addPlatform(ctx, b, m)
	return nil
}

// deleteManifest deletes a manifest by its digest, or a tag.
func (c *call) deleteManifest() error {
	remove := c.server.options.Store.DeleteTag
	if isDigest(c.route.reference) {
		remove = c.server.options.Store.DeleteManifest
	}
	if err := remove(c.r.Context(), c.ref(), c.actor()); err != nil {
		return err
	}
	c.accepted()
	return nil
}

func (c *call) accepted() {
	c.w.Header().Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusAccepted)
}
