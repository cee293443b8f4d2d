package oci

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

// acrPage is how many entries ACR's data plane lists when nothing is said.
const acrPage = 100

// acr answers requests to ACR's own data plane, /acr/v1.
func (c *call) acr() error {
	switch c.route.kind {
	case acrCatalog:
		p, err := c.page(acrPage)
		if err != nil {
			return err
		}
		return c.catalogPage(p)
	case acrTags:
		return c.acrTags()
	case acrManifests:
		return c.acrManifests()
	}
	if c.route.kind == acrManifest {
		if err := checkDigest(c.route.reference); err != nil {
			return err
		}
	}
	if c.route.kind == acrTag && !drydock.ValidTag(c.route.reference) {
		return newProblem(http.StatusNotFound, "TAG_UNKNOWN", "there is no such tag")
	}
	switch c.r.Method {
	case http.MethodPatch:
		return c.acrUpdate()
	case http.MethodDelete:
		return c.acrDelete()
	}
	return c.acrShow()
}

// order reads the parameter orderby.
func (c *call) order() (drydock.Order, error) {
	switch text := c.r.URL.Query().Get("orderby"); text {
	case "", "none", "name":
		return drydock.ByName, nil
	case string(drydock.OldestTop), string(drydock.NewestTop):
		return drydock.Order(text), nil
	default:
		return "", badRequest("orderby is none, timeasc or timedesc, not " + text)
	}
}

// listing reads what the lists of a repository have in common.
func (c *call) listing() (drydock.Page, drydock.Order, error) {
	p, err := c.page(acrPage)
	if err != nil {
		return p, "", err
	}
	order, err := c.order()
	if err != nil {
		return p, "", err
	}
	_, err = c.server.options.Store.Repository(c.r.Context(), c.registry.ID, c.route.repository)
	return p, order, err
}

// acrList is the body of a list of tags or manifests.
func (c *call) acrList(key string, list any) {
	writeJSON(c.w, c.r, http.StatusOK, map[string]any{
		"registry": c.registry.LoginServer, "imageName": c.route.repository, key: list,
	})
}

func (c *call) acrTags() error {
	p, order, err := c.listing()
	if err != nil {
		return err
	}
	all, err := c.server.options.Store.Tags(c.r.Context(), drydock.TagFilter{
		Registry: c.registry.ID, Repository: c.route.repository,
		Digest: c.r.URL.Query().Get("digest"), Order: order, Page: more(p),
	})
	if err != nil {
		return err
	}
	list := []acrTagBody{}
	for _, t := range cut(c, all, p, func(t drydock.Tag) string { return t.Name }) {
		list = append(list, newTagBody(t))
	}
	c.acrList("tags", list)
	return nil
}

func (c *call) acrManifests() error {
	p, order, err := c.listing()
	if err != nil {
		return err
	}
	all, err := c.server.options.Store.Manifests(c.r.Context(), drydock.ManifestFilter{
		Registry: c.registry.ID, Repository: c.route.repository, Order: order, Page: more(p),
	})
	if err != nil {
		return err
	}
	list := []acrManifestBody{}
	for _, m := range cut(c, all, p, func(m drydock.Manifest) string { return m.Digest }) {
		list = append(list, newManifestBody(m))
	}
	c.acrList("manifests", list)
	return nil
}

// acrShow answers with a repository, a manifest or a tag.
func (c *call) acrShow() error {
	store, ctx := c.server.options.Store, c.r.Context()
	switch c.route.kind {
	case acrManifest:
		m, err := store.Manifest(ctx, c.ref())
		if err != nil {
			return err
		}
		c.acrList("manifest", newManifestBody(m))
	case acrTag:
		tags, err := store.Tags(ctx, drydock.TagFilter{
			Registry: c.registry.ID, Repository: c.route.repository, Name: c.route.reference, Hidden: true,
		})
		if err != nil {
			return err
		}
		if len(tags) == 0 {
			return newProblem(http.StatusNotFound, "TAG_UNKNOWN", "there is no tag "+c.route.repository+":"+c.route.reference)
		}
		c.acrList("tag", newTagBody(tags[0]))
	default:
		r, err := store.Repository(ctx, c.registry.ID, c.route.repository)
		if err != nil {
			return err
		}
		writeJSON(c.w, c.r, http.StatusOK, map[string]any{
			"registry": c.registry.LoginServer, "imageName": r.Name,
			"createdTime": wireTime(r.Created), "lastUpdateTime": wireTime(r.Updated),
			"manifestCount": r.Manifests, "tagCount": r.Tags,
			"changeableAttributes": newChangeable(r.Attributes),
		})
	}
	return nil
}

// acrUpdate changes attributes and answers as acrShow.
func (c *call) acrUpdate() error {
	var body struct {
		Delete *bool `json:"deleteEnabled"`
		Write  *bool `json:"writeEnabled"`
		Read   *bool `json:"readEnabled"`
		List   *bool `json:"listEnabled"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, maxTokenForm)).Decode(&body); err != nil {
		return badRequest("the attributes can't be read: " + err.Error())
	}
	err := c.server.options.Store.SetAttributes(c.r.Context(), c.ref(), drydock.AttributesChange{
		Delete: body.Delete, Write: body.Write, Read: body.Read, List: body.List,
	})
	if err != nil {
		return err
	}
	return c.acrShow()
}

// acrDelete deletes a repository or a manifest, or takes a tag away.
func (c *call) acrDelete() error {
	store, ctx := c.server.options.Store, c.r.Context()
	switch c.route.kind {
	case acrManifest:
		if err := store.DeleteManifest(ctx, c.ref(), c.actor()); err != nil {
			return err
		}
	case acrTag:
		if err := store.DeleteTag(ctx, c.ref(), c.actor()); err != nil {
			return err
		}
	default:
		return c.deleteRepository()
	}
	c.accepted()
	return nil
}

// deleteRepository deletes a repository and answers with what was in it.
func (c *call) deleteRepository() error {
	store, ctx := c.server.options.Store, c.r.Context()
	manifests, err := store.Manifests(ctx, drydock.ManifestFilter{
		Registry: c.registry.ID, Repository: c.route.repository, Hidden: true,
	})
	if err != nil {
		return err
	}
	digests, tags := []string{}, []string{}
	for _, m := range manifests {
		digests, tags = append(digests, m.Digest), append(tags, m.Tags...)
	}
	if err := store.DeleteRepository(ctx, c.ref(), c.actor()); err != nil {
		return err
	}
	writeJSON(c.w, c.r, http.StatusAccepted, map[string][]string{"manifestsDeleted": digests, "tagsDeleted": tags})
	return nil
}

// isDigest tells digests from tags, which have no colon.
func isDigest(reference string) bool { return strings.Contains(reference, ":") }
