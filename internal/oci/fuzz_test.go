package oci_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
)

func FuzzParsePath(f *testing.F) {
	for _, path := range []string{
		"/v2/", "/v2", "/v2/_catalog", "/v2/a/b/tags/list", "/v2/a/manifests/v1", "/v2/a/blobs/sha256:0", "/v2/a/blobs/uploads/",
		"/v2/a/blobs/uploads/x", "/v2/a/referrers/sha256:0", "/acr/v1/_catalog", "/acr/v1/a", "/acr/v1/a/_tags/v1",
		"/acr/v1/a/_manifests/sha256:0", "/v2//manifests//", "/acr/v1//_tags/", "/v2/../x",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		known, repository, reference := oci.ParsePath(path)
		if strings.Contains(reference, "/") {
			t.Errorf("%q: reference %q", path, reference)
		}
		if !known && repository+reference != "" || !strings.Contains(path, repository) || !strings.Contains(path, reference) {
			t.Errorf("%q: %v %q %q", path, known, repository, reference)
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	zero := strings.Repeat("0", 64)
	f.Add(ociManifest, []byte(`{"schemaVersion":2,"config":{"digest":"sha256:`+zero+`","size":3},"layers":[]}`))
	f.Add(ociIndex, []byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:`+zero+`","platform":{"os":"linux"}}]}`))
	f.Add("", []byte(`{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[],"subject":{"digest":"sha256:`+zero+`"}}`))
	f.Add("a/b; c", []byte(`{"config":null}`))
	f.Fuzz(func(t *testing.T, contentType string, content []byte) {
		m, err := oci.ParseManifest(contentType, content)
		if err != nil {
			return
		}
		if m.MediaType == "" || string(m.Content) != string(content) || m.Size != int64(len(content)) {
			t.Errorf("manifest %+v", m)
		}
		seen := map[string]bool{}
		for _, d := range m.Blobs {
			if seen[d] || !strings.HasPrefix(d, "sha256:") && !strings.HasPrefix(d, "sha512:") || strings.Contains(d, "/") {
				t.Errorf("blob %q", d)
			}
			seen[d] = true
		}
		if len(m.Blobs) > 0 && len(m.Children) > 0 {
			t.Errorf("an image and an index: %+v", m)
		}
	})
}

func FuzzParseScope(f *testing.F) {
	for _, scope := range []string{"repository:a/b:pull,push", "registry:catalog:*", "repository:a:*", "::", "repository:a:pull:push"} {
		f.Add(scope)
	}
	f.Fuzz(func(t *testing.T, scope string) {
		a, ok := oci.ParseScope(scope)
		if !ok {
			return
		}
		switch a.Type {
		case "repository":
			if drydock.CheckRepositoryName(a.Name) != nil {
				t.Errorf("%q: name %q", scope, a.Name)
			}
		case "registry":
			if a.Name != "catalog" {
				t.Errorf("%q: name %q", scope, a.Name)
			}
		default:
			t.Errorf("%q: type %q", scope, a.Type)
		}
		seen := map[string]bool{}
		for _, action := range a.Actions {
			if seen[action] || !strings.Contains(scope, action) && !strings.Contains(scope, "*") {
				t.Errorf("%q: action %q", scope, action)
			}
			seen[action] = true
		}
	})
}
