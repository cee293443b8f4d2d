package acrcli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// changeable says what may be done with a tag or a manifest. What a registry does
// not say is allowed.
type changeable struct {
	Delete *bool `json:"deleteEnabled,omitempty"`
	Write  *bool `json:"writeEnabled,omitempty"`
}

// locked reports whether a tag or a manifest is to be left alone.
func (c *changeable) locked() bool {
	return c != nil && (c.Delete != nil && !*c.Delete || c.Write != nil && !*c.Write)
}

// unlocked is what makes anything deletable.
func unlocked() changeable {
	yes := true
	return changeable{Delete: &yes, Write: &yes}
}

// tag is one of a repository's.
type tag struct {
	Name       string      `json:"name"`
	Digest     string      `json:"digest"`
	Updated    time.Time   `json:"lastUpdateTime"`
	Changeable *changeable `json:"changeableAttributes"`
}

// manifest is one of a repository's.
type manifest struct {
	Digest     string      `json:"digest"`
	MediaType  string      `json:"mediaType"`
	Updated    time.Time   `json:"lastUpdateTime"`
	Tags       []string    `json:"tags"`
	Changeable *changeable `json:"changeableAttributes"`
}

// normalPage is how many entries are asked for at a time.
const normalPage = 100

// list reads all pages of a list. Each is handed to add.
func (c *client) list(ctx context.Context, scope, path string, n int, order string, add func([]byte) error) error {
	query := url.Values{"n": {strconv.Itoa(n)}}
	if order != "" {
		query.Set("orderby", order)
	}
	path += "?" + query.Encode()
	for path != "" {
		text, next, err := c.send(ctx, scope, http.MethodGet, path, nil, nil)
		if err != nil {
			return err
		}
		if err := add(text); err != nil {
			return fmt.Errorf("reading the answer to GET %s: %w", path, err)
		}
		if next == path {
			return fmt.Errorf("the page after %s is that again", path)
		}
		path = next
	}
	return nil
}

// nextPage reads a Link header as RFC 8288 has it: </path?query>; rel="next".
func nextPage(link string) string {
	from, to := strings.IndexByte(link, '<'), strings.IndexByte(link, '>')
	if from < 0 || to < from || !strings.Contains(link[to:], "next") {
		return ""
	}
	u, err := url.Parse(link[from+1 : to])
	if err != nil {
		return ""
	}
	return u.RequestURI()
}

// repositories returns the names of all repositories, n of them at a time.
func (c *client) repositories(ctx context.Context, n int) (names []string, err error) {
	err = c.list(ctx, catalogScope, "/acr/v1/_catalog", n, "", func(text []byte) error {
		var page struct {
			Repositories []string `json:"repositories"`
		}
		err := json.Unmarshal(text, &page)
		names = append(names, page.Repositories...)
		return err
	})
	return names, err
}

// tags returns the tags of a repository; order may be empty.
func (c *client) tags(ctx context.Context, repository, order string) (tags []tag, err error) {
	err = c.list(ctx, repositoryScope(repository), "/acr/v1/"+repository+"/_tags", normalPage, order, func(text []byte) error {
		var page struct {
			Tags []tag `json:"tags"`
		}
		err := json.Unmarshal(text, &page)
		tags = append(tags, page.Tags...)
		return err
	})
	return tags, err
}

func (c *client) manifests(ctx context.Context, repository string) (manifests []manifest, err error) {
	err = c.list(ctx, repositoryScope(repository), "/acr/v1/"+repository+"/_manifests", normalPage, "", func(text []byte) error {
		var page struct {
			Manifests []manifest `json:"manifests"`
		}
		err := json.Unmarshal(text, &page)
		manifests = append(manifests, page.Manifests...)
		return err
	})
	return manifests, err
}

// relations are what a manifest says of others.
type relations struct {
	Manifests []ocispec.Descriptor `json:"manifests"`
	Subject   *ocispec.Descriptor  `json:"subject"`
}

// relations reads a manifest.
func (c *client) relations(ctx context.Context, repository, digest string) (r relations, err error) {
	text, _, err := c.send(ctx, repositoryScope(repository), http.MethodGet, "/v2/"+repository+"/manifests/"+digest, manifestTypes(), nil)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("reading manifest %s of %s: %w", digest, repository, err)
	}
	return r, nil
}

func (c *client) deleteTag(ctx context.Context, repository, name string) error {
	_, _, err := c.send(ctx, repositoryScope(repository), http.MethodDelete, "/acr/v1/"+repository+"/_tags/"+url.PathEscape(name), nil, nil)
	return err
}

func (c *client) deleteManifest(ctx context.Context, repository, digest string) error {
	_, _, err := c.send(ctx, repositoryScope(repository), http.MethodDelete, "/v2/"+repository+"/manifests/"+url.PathEscape(digest), nil, nil)
	return err
}

// unlock allows everything with a tag or a manifest; kind is _tags or _manifests.
func (c *client) unlock(ctx context.Context, repository, kind, reference string) error {
	_, _, err := c.send(ctx, repositoryScope(repository), http.MethodPatch, "/acr/v1/"+repository+"/"+kind+"/"+url.PathEscape(reference), nil, unlocked())
	return err
}
