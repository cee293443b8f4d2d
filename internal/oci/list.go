package oci

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/drydockhq/drydock"
)

// maxPage is how many entries a page has at most.
const maxPage = 1000

// page reads the paging parameters n and last. Without n a page has as many
// entries as normal says.
func (c *call) page(normal int) (drydock.Page, error) {
	query := c.r.URL.Query()
	p := drydock.Page{After: query.Get("last"), Limit: normal}
	if text := query.Get("n"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return p, newProblem(http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "n is not a number of entries: "+strconv.Quote(text))
		}
		p.Limit = min(n, maxPage)
	}
	return p, nil
}

// more asks for one entry more than the page has, to know if there is another
// page.
func more(p drydock.Page) drydock.Page {
	p.Limit++
	return p
}

// cut cuts a list to the page and sets the Link header if more follows.
func cut[T any](c *call, list []T, p drydock.Page, name func(T) string) []T {
	if len(list) <= p.Limit {
		return list
	}
	list = list[:p.Limit]
	if p.Limit == 0 {
		return list
	}
	query := c.r.URL.Query()
	query.Set("n", strconv.Itoa(p.Limit))
	query.Set("last", name(list[len(list)-1]))
	next := url.URL{Path: c.r.URL.Path, RawQuery: query.Encode()}
	c.w.Header().Set("Link", "<"+next.String()+`>; rel="next"`)
	return list
}

// listRepositories answers _catalog.
func (c *call) listRepositories() error {
	p, err := c.page(maxPage)
	if err != nil {
		return err
	}
	return c.catalogPage(p)
}

func (c *call) catalogPage(p drydock.Page) error {
	all, err := c.server.options.Store.Repositories(c.r.Context(), c.registry.ID, more(p))
	if err != nil {
		return err
	}
	all = cut(c, all, p, func(r drydock.Repository) string { return r.Name })
	names := make([]string, 0, len(all))
	for _, r := range all {
		names = append(names, r.Name)
	}
	writeJSON(c.w, c.r, http.StatusOK, map[string][]string{"repositories": names})
	return nil
}

// listTags answers tags/list.
func (c *call) listTags() error {
	p, err := c.page(maxPage)
	if err != nil {
		return err
	}
	store := c.server.options.Store
	if _, err := store.Repository(c.r.Context(), c.registry.ID, c.route.repository); err != nil {
		return err
	}
	all, err := store.Tags(c.r.Context(), drydock.TagFilter{
		Registry: c.registry.ID, Repository: c.route.repository, Page: more(p),
	})
	if err != nil {
		return err
	}
	all = cut(c, all, p, func(t drydock.Tag) string { return t.Name })
	names := make([]string, 0, len(all))
	for _, t := range all {
		names = append(names, t.Name)
	}
	writeJSON(c.w, c.r, http.StatusOK, map[string]any{"name": c.route.repository, "tags": names})
	return nil
}

// referrer is an entry of the referrers API's index.
type referrer struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// maxReferrers keeps a page of referrers below the size of a manifest in all but
// strange cases.
const maxReferrers = 500

// listReferrers answers the referrers API. What is not there has none.
func (c *call) listReferrers() error {
	if err := checkDigest(c.route.reference); err != nil {
		return err
	}
	p, err := c.page(maxReferrers)
	if err != nil {
		return err
	}
	artifactType := c.r.URL.Query().Get("artifactType")
	all, err := c.server.options.Store.Manifests(c.r.Context(), drydock.ManifestFilter{
		Registry: c.registry.ID, Repository: c.route.repository, Subject: c.route.reference,
		ArtifactType: artifactType, Page: more(p),
	})
	if err != nil {
		return err
	}
	all = cut(c, all, p, func(m drydock.Manifest) string { return m.Digest })
	list := make([]referrer, 0, len(all))
	for _, m := range all {
		list = append(list, referrer{m.MediaType, m.Digest, m.Size, m.ArtifactType, m.Annotations})
	}
	h := c.w.Header()
	h.Set("Content-Type", ociIndex)
	if artifactType != "" {
		h.Set("OCI-Filters-Applied", "artifactType")
	}
	writeJSON(c.w, c.r, http.StatusOK, map[string]any{
		"schemaVersion": 2, "mediaType": ociIndex, "manifests": list,
	})
	return nil
}
