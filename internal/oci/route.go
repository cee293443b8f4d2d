package oci

import "strings"

// kind says what a path of the registry API is about.
type kind int

const (
	unknownPath kind = iota
	ping
	catalog
	tagList
	manifest
	referrers
	blob
	upload // reference is the session, empty to start one
	acrCatalog
	acrRepository
	acrTags // of the whole repository
	acrTag
	acrManifests
	acrManifest
)

// route is a path taken apart.
type route struct {
	kind       kind
	repository string
	reference  string // tag, digest or upload session
}

// parsePath takes the decoded path of a request apart. References have no
// slash, so that the end of a path says what it is, whatever the repository is
// called.
func parsePath(path string) route {
	if rest, ok := strings.CutPrefix(path, "/v2/"); ok {
		return parseV2(rest)
	}
	if rest, ok := strings.CutPrefix(path, "/acr/v1/"); ok {
		return parseACR(rest)
	}
	if path == "/v2" {
		return route{kind: ping}
	}
	return route{}
}

func parseV2(rest string) route {
	switch rest {
	case "":
		return route{kind: ping}
	case "_catalog":
		return route{kind: catalog}
	}
	if name, ok := strings.CutSuffix(rest, "/tags/list"); ok {
		return route{tagList, name, ""}
	}
	if name, ok := strings.CutSuffix(strings.TrimSuffix(rest, "/"), "/blobs/uploads"); ok {
		return route{upload, name, ""}
	}
	before, last, ok := cutLast(rest)
	if !ok || last == "" {
		return route{}
	}
	for _, r := range []struct {
		suffix string
		kind   kind
	}{{"/blobs/uploads", upload}, {"/manifests", manifest}, {"/referrers", referrers}, {"/blobs", blob}} {
		if name, ok := strings.CutSuffix(before, r.suffix); ok {
			return route{r.kind, name, last}
		}
	}
	return route{}
}

func parseACR(rest string) route {
	if rest == "_catalog" {
		return route{kind: acrCatalog}
	}
	if name, ok := strings.CutSuffix(rest, "/_tags"); ok {
		return route{acrTags, name, ""}
	}
	if name, ok := strings.CutSuffix(rest, "/_manifests"); ok {
		return route{acrManifests, name, ""}
	}
	if before, last, ok := cutLast(rest); ok && last != "" {
		if name, ok := strings.CutSuffix(before, "/_tags"); ok {
			return route{acrTag, name, last}
		}
		if name, ok := strings.CutSuffix(before, "/_manifests"); ok {
			return route{acrManifest, name, last}
		}
	}
	return route{acrRepository, rest, ""}
}

// cutLast cuts a path at its last slash.
func cutLast(path string) (before, last string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
