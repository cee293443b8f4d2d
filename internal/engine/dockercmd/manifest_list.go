package dockercmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The media types of docker's own manifests, which registries and tools still
// use beside those of OCI.
const (
	dockerManifest     = "application/vnd.docker.distribution.manifest.v2+json"
	dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// manifestList is a manifest list under construction.
type manifestList struct {
	entries []listEntry
}

// listEntry is one image of a manifest list.
type listEntry struct {
	name string             // complete; where the manifest can be read
	desc ocispec.Descriptor // with the platform, which annotate changes
	raw  []byte             // manifest
}

// put adds an entry, or replaces the one of the same name.
func (l *manifestList) put(e listEntry) {
	if i := l.index(e.name); i >= 0 {
		l.entries[i] = e
		return
	}
	l.entries = append(l.entries, e)
}

// index returns where the entry of a name is, -1 if nowhere.
func (l *manifestList) index(name string) int {
	return slices.IndexFunc(l.entries, func(e listEntry) bool { return e.name == name })
}

// clone returns a copy that can be changed while the original is read.
func (l *manifestList) clone() *manifestList {
	if l == nil {
		return &manifestList{}
	}
	return &manifestList{entries: slices.Clone(l.entries)}
}

// encode returns the list as a registry takes it. Every image must have a
// platform.
func (l *manifestList) encode() (mediaType string, data []byte, err error) {
	for _, e := range l.entries {
		if p := e.desc.Platform; p == nil || p.OS == "" || p.Architecture == "" {
			return "", nil, fmt.Errorf("manifest %s must have an OS and Architecture to be pushed to a registry (docker manifest annotate sets them)", e.name)
		}
	}
	return l.encodeAll()
}

// encodeAll returns the list as a registry takes it, whatever it holds: a docker
// manifest list if its images are docker's, else an OCI index.
func (l *manifestList) encodeAll() (mediaType string, data []byte, err error) {
	if len(l.entries) == 0 {
		return "", nil, errors.New("the manifest list is empty")
	}
	index := ocispec.Index{MediaType: dockerManifestList}
	index.SchemaVersion = 2
	for _, e := range l.entries {
		if e.desc.MediaType != dockerManifest {
			index.MediaType = ocispec.MediaTypeImageIndex
		}
		index.Manifests = append(index.Manifests, e.desc)
	}
	data, err = json.MarshalIndent(index, "", "   ")
	return index.MediaType, data, err
}

// isIndex reports whether a media type is that of an index or a manifest list.
func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == dockerManifestList
}

// list returns a copy of the manifest list of a name, nil if there is none.
func (c *Client) list(name string) *manifestList {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.lists[name]; l != nil {
		return l.clone()
	}
	return nil
}

// update changes the manifest list of a name, which may be new, in one step.
func (c *Client) update(name string, change func(*manifestList) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lists[name].clone()
	if err := change(l); err != nil {
		return err
	}
	c.lists[name] = l
	return nil
}

// drop forgets the manifest list of a name and reports whether there was one.
func (c *Client) drop(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.lists[name]
	delete(c.lists, name)
	return ok
}
