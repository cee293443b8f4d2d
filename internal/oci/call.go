package oci

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
)

// call is a request while it is answered. Its methods return an error when they
// have not answered.
type call struct {
	server   *Server
	registry Registry
	w        http.ResponseWriter
	r        *http.Request

	route  route
	caller drydock.Principal
	grants grants
}

// actor is who the call is from, for the events that it causes.
func (c *call) actor() drydock.Actor {
	agent := c.r.UserAgent()
	by := drydock.Actor{ID: c.caller.ID, Agent: agent[:min(len(agent), 256)]}
	if c.caller.Kind == drydock.RunIdentity {
		by.Run = c.caller.Owner
	}
	return by
}

// serve answers what is neither a token nor a health check: it finds out what
// the path is about, checks that the caller may, and passes on.
func (c *call) serve() error {
	c.route = parsePath(c.r.URL.Path)
	if c.route.kind == unknownPath {
		return notFound("there is nothing at this path")
	}
	if c.route.repository != "" || c.route.kind >= tagList && c.route.kind != acrCatalog {
		if err := drydock.CheckRepositoryName(c.route.repository); err != nil {
			return nameInvalid(err)
		}
	}
	need, ok := c.needs()
	if !ok {
		return methodNotAllowed(c.r)
	}
	if err := c.authorize(need); err != nil {
		return err
	}
	return c.handle()
}

// handle answers a request that is allowed.
func (c *call) handle() error {
	switch c.route.kind {
	case ping:
		writeJSON(c.w, c.r, http.StatusOK, struct{}{})
		return nil
	case catalog:
		return c.listRepositories()
	case tagList:
		return c.listTags()
	case manifest:
		return c.manifest()
	case referrers:
		return c.listReferrers()
	case blob, upload:
		return c.blob()
	}
	return c.acr()
}

// unknown is the error code for what is not there.
func (c *call) unknown() string {
	switch c.route.kind {
	case manifest:
		return "MANIFEST_UNKNOWN"
	case blob:
		return "BLOB_UNKNOWN"
	case upload:
		return "BLOB_UPLOAD_UNKNOWN"
	case acrTag:
		return "TAG_UNKNOWN"
	case acrManifest:
		return "MANIFEST_UNKNOWN"
	}
	return "NAME_UNKNOWN"
}

// ref names what the path names.
func (c *call) ref() drydock.ArtifactRef {
	return drydock.ArtifactRef{Registry: c.registry.ID, Repository: c.route.repository, Reference: c.route.reference}
}

// absolute returns a URL of this registry, by the name by which the client
// reached it.
func (c *call) absolute(path string) string {
	u := &url.URL{Scheme: "http", Host: c.r.Host, Path: path}
	if c.r.TLS != nil || strings.EqualFold(c.r.Header.Get("X-Forwarded-Proto"), "https") {
		u.Scheme = "https"
	}
	return u.String()
}
