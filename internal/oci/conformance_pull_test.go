package oci_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"
)

func TestPing(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, path := range []string{"/v2/", "/v2"} {
		if a := f.do(t, request{path: path}).want(t, 200); string(a.body) != "{}" {
			t.Errorf("%s answers %s", path, a.body)
		}
	}
	f.do(t, request{method: "POST", path: "/v2/"}).want(t, 405, "UNSUPPORTED")
}

func TestPullManifests(t *testing.T) {
	t.Parallel()
	f := start(t)
	image := f.imageManifest(t, "team/app", "one", nil)
	f.put(t, "team/app", "v1", ociManifest, image).want(t, 201)
	d := digest.FromBytes(image).String()
	for _, reference := range []string{"v1", d} {
		for _, method := range []string{"HEAD", "GET"} {
			a := f.do(t, request{method: method, path: "/v2/team/app/manifests/" + reference}).want(t, 200)
			want := map[string]string{
				"Content-Type": ociManifest, "Content-Length": fmt.Sprint(len(image)),
				"Docker-Content-Digest": d, "Etag": `"` + d + `"`,
			}
			for name, value := range want {
				if a.Header.Get(name) != value {
					t.Errorf("%s %s: %s is %q, want %q", method, reference, name, a.Header.Get(name), value)
				}
			}
			if method == "GET" && !bytes.Equal(a.body, image) {
				t.Errorf("GET %s: %s", reference, a.body)
			}
		}
	}
	f.do(t, request{path: "/v2/team/app/manifests/v1", header: map[string]string{"If-None-Match": `"` + d + `"`}}).want(t, 304)
	f.do(t, request{path: "/v2/team/app/manifests/v1", header: map[string]string{"If-None-Match": `"sha256:other"`}}).want(t, 200)
	for _, test := range []struct {
		reference, code string
		status          int
	}{
		{"v2", "MANIFEST_UNKNOWN", 404},
		{digest.FromString("never pushed").String(), "MANIFEST_UNKNOWN", 404},
		{"sha256:baddigeststring", "DIGEST_INVALID", 400},
		{"-v1", "MANIFEST_UNKNOWN", 404},
		{strings.Repeat("x", 200), "MANIFEST_UNKNOWN", 404},
	} {
		f.do(t, request{path: "/v2/team/app/manifests/" + test.reference}).want(t, test.status, test.code)
	}
	f.do(t, request{path: "/v2/team/none/manifests/v1"}).want(t, 404, "MANIFEST_UNKNOWN")
}

func TestPullBlobs(t *testing.T) {
	t.Parallel()
	f := start(t)
	content := []byte(strings.Repeat("0123456789abcdef", 128))
	d := f.pushBlob(t, "app", content)
	f.wantBlob(t, "app", d, content)
	path := "/v2/app/blobs/" + d.String()
	for _, test := range []struct {
		ask, got string
		status   int
		body     []byte
	}{
		{"bytes=500-1499", "bytes 500-1499/2048", 206, content[500:1500]},
		{"bytes=500-", "bytes 500-2047/2048", 206, content[500:]},
		{"bytes=-500", "bytes 1548-2047/2048", 206, content[1548:]},
		{"bytes=2000-5000", "bytes 2000-2047/2048", 206, content[2000:]},
		{"bytes=5000-10000", "bytes */2048", 416, nil},
		{"bytes=500-0", "", 416, nil},
	} {
		a := f.do(t, request{path: path, header: map[string]string{"Range": test.ask}}).want(t, test.status)
		if a.Header.Get("Content-Range") != test.got || test.body != nil && !bytes.Equal(a.body, test.body) {
			t.Errorf("%s: %s with %d bytes", test.ask, a.Header.Get("Content-Range"), len(a.body))
		}
	}
	f.do(t, request{path: "/v2/app/blobs/" + digest.FromString("never pushed").String()}).want(t, 404, "BLOB_UNKNOWN")
	f.do(t, request{path: "/v2/other/blobs/" + d.String()}).want(t, 404, "BLOB_UNKNOWN")
	f.do(t, request{path: "/v2/app/blobs/sha256:x"}).want(t, 400, "DIGEST_INVALID")
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, tag := range []string{"v1", "a", "B", "latest", "v10"} {
		f.pushImage(t, "team/app", tag)
	}
	f.pushImage(t, "other", "v1")
	for _, test := range []struct {
		path, next string
		want       []string
	}{
		{"/v2/team/app/tags/list", "", []string{"B", "a", "latest", "v1", "v10"}},
		{"/v2/team/app/tags/list?n=2", "/v2/team/app/tags/list?last=a&n=2", []string{"B", "a"}},
		{"/v2/team/app/tags/list?n=2&last=a", "/v2/team/app/tags/list?last=v1&n=2", []string{"latest", "v1"}},
		{"/v2/team/app/tags/list?n=2&last=v1", "", []string{"v10"}},
		{"/v2/team/app/tags/list?last=latest", "", []string{"v1", "v10"}},
		{"/v2/team/app/tags/list?last=nothing-of-the-sort", "", []string{"v1", "v10"}},
		{"/v2/team/app/tags/list?n=5", "", []string{"B", "a", "latest", "v1", "v10"}},
		{"/v2/team/app/tags/list?n=0", "", []string{}},
		{"/v2/team/app/tags/list?n=99999999", "", []string{"B", "a", "latest", "v1", "v10"}},
		{"/v2/_catalog", "", []string{"other", "team/app"}},
		{"/v2/_catalog?n=1", "/v2/_catalog?last=other&n=1", []string{"other"}},
		{"/v2/_catalog?n=1&last=other", "", []string{"team/app"}},
		{"/acr/v1/_catalog?n=1", "/acr/v1/_catalog?last=other&n=1", []string{"other"}},
	} {
		var body struct {
			Name               string
			Tags, Repositories []string
		}
		a := f.do(t, request{path: test.path}).want(t, 200)
		a.decode(t, &body)
		if d := cmp.Diff(test.want, append(append([]string{}, body.Tags...), body.Repositories...)); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.path, d)
		}
		link := ""
		if test.next != "" {
			link = "<" + test.next + `>; rel="next"`
		}
		if got := a.Header.Get("Link"); got != link {
			t.Errorf("%s: Link %s, want %s", test.path, got, link)
		}
	}
	f.do(t, request{path: "/v2/none/tags/list"}).want(t, 404, "NAME_UNKNOWN")
	f.do(t, request{path: "/v2/other/tags/list?n=-1"}).want(t, 400, "PAGINATION_NUMBER_INVALID")
	f.do(t, request{path: "/v2/_catalog?n=many"}).want(t, 400, "PAGINATION_NUMBER_INVALID")
	f.do(t, request{path: "/acr/v1/other/_tags?orderby=size"}).want(t, 400, "UNSUPPORTED")
}

// referring is a repository with a manifest and what refers to it.
type referring struct {
	*fixture
	subject object // descriptor
	empty   object // descriptor
}

func newReferring(t *testing.T) *referring {
	t.Helper()
	r := &referring{fixture: start(t)}
	content := r.imageManifest(t, "app", "subject", nil)
	r.put(t, "app", "v1", ociManifest, content).want(t, 201)
	r.subject = descriptorOf(ociManifest, content)
	r.pushBlob(t, "app", []byte("{}"))
	r.empty = descriptorOf("application/vnd.oci.empty.v1+json", []byte("{}"))
	return r
}

// refer pushes a manifest with the subject and returns its digest.
func (r *referring) refer(t *testing.T, mediaType string, m object) string {
	t.Helper()
	m["schemaVersion"], m["mediaType"], m["subject"] = 2, mediaType, r.subject
	content := marshal(t, m)
	d := digest.FromBytes(content).String()
	a := r.put(t, "app", d, mediaType, content).want(t, 201)
	if a.Header.Get("OCI-Subject") != r.subject["digest"] {
		t.Errorf("OCI-Subject is %q", a.Header.Get("OCI-Subject"))
	}
	return d
}

// signature pushes one with an artifact type.
func (r *referring) signature(t *testing.T, artifactType string) string {
	t.Helper()
	return r.refer(t, ociManifest, object{
		"artifactType": artifactType, "config": r.empty, "layers": []object{r.empty},
		"annotations": object{"org.example.note": "signed"},
	})
}

// referrerEntry is an entry of the list.
type referrerEntry struct {
	MediaType, Digest, ArtifactType string
	Size                            int64
	Annotations                     map[string]string
}

// list checks that what refers to the subject is what is wanted.
func (r *referring) list(t *testing.T, query string, want ...string) (answer, map[string]referrerEntry) {
	t.Helper()
	a := r.do(t, request{path: "/v2/app/referrers/" + r.subject["digest"].(string) + query}).want(t, 200)
	var body struct {
		SchemaVersion int
		MediaType     string
		Manifests     []referrerEntry
	}
	a.decode(t, &body)
	got := map[string]referrerEntry{}
	for _, m := range body.Manifests {
		got[m.Digest] = m
	}
	if a.Header.Get("Content-Type") != ociIndex || body.MediaType != ociIndex || body.SchemaVersion != 2 {
		t.Errorf("%q: %v %s", query, a.Header, a.body)
	}
	slices.Sort(want)
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(got)), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%q (-want +got):\n%s", query, d)
	}
	return a, got
}

func TestReferrers(t *testing.T) {
	t.Parallel()
	r := newReferring(t)
	signature := r.signature(t, "application/signature")
	sbom := r.refer(t, ociManifest, object{"config": descriptorOf("application/sbom", []byte("{}")), "layers": []object{r.empty}})
	index := r.refer(t, ociIndex, object{"artifactType": "application/signature", "manifests": []object{}})
	old := r.refer(t, "application/vnd.oci.artifact.manifest.v1+json", object{"artifactType": "application/old", "blobs": []object{r.empty}})

	a, all := r.list(t, "", signature, sbom, index, old)
	if a.Header.Get("OCI-Filters-Applied") != "" {
		t.Error("a filter was applied")
	}
	if m := all[signature]; m.ArtifactType != "application/signature" || m.MediaType != ociManifest || m.Size == 0 || m.Annotations["org.example.note"] != "signed" {
		t.Errorf("the signature is %+v", m)
	}
	if all[sbom].ArtifactType != "application/sbom" || all[index].MediaType != ociIndex || all[old].ArtifactType != "application/old" {
		t.Errorf("the others are %+v", all)
	}
	a, _ = r.list(t, "?artifactType=application/signature", signature, index)
	if a.Header.Get("OCI-Filters-Applied") != "artifactType" {
		t.Errorf("filters %q", a.Header.Get("OCI-Filters-Applied"))
	}
	r.list(t, "?artifactType=none")
	sorted := slices.Sorted(slices.Values([]string{signature, sbom, index, old}))
	page, _ := r.list(t, "?n=3", slices.Clone(sorted[:3])...)
	if want := "?last=" + url.QueryEscape(sorted[2]) + `&n=3>; rel="next"`; !strings.HasSuffix(page.Header.Get("Link"), want) {
		t.Errorf("Link %q, want …%s", page.Header.Get("Link"), want)
	}
	r.list(t, "?n=3&last="+sorted[2], sorted[3])
}

func TestReferrersOfNothing(t *testing.T) {
	t.Parallel()
	r := newReferring(t)
	r.list(t, "")
	later := digest.FromString("later").String()
	for _, repository := range []string{"app", "none"} {
		a := r.do(t, request{path: "/v2/" + repository + "/referrers/" + later}).want(t, 200)
		if !strings.Contains(string(a.body), `"manifests":[]`) {
			t.Errorf("%s: %s", repository, a.body)
		}
	}
	r.do(t, request{path: "/v2/app/referrers/v1"}).want(t, 400, "DIGEST_INVALID")

	// What refers to something may be there before it.
	r.subject = object{"mediaType": ociManifest, "digest": later, "size": 5}
	r.list(t, "", r.signature(t, "application/early"))
}

func TestReferrersGoWithTheirSubject(t *testing.T) {
	t.Parallel()
	r := newReferring(t)
	signature := r.signature(t, "application/signature")
	r.do(t, request{method: "DELETE", path: "/v2/app/manifests/" + r.subject["digest"].(string)}).want(t, 202)
	r.list(t, "")
	r.do(t, request{path: "/v2/app/manifests/" + signature}).want(t, 404, "MANIFEST_UNKNOWN")
}

func TestManagement(t *testing.T) {
	t.Parallel()
	f := start(t)
	d := f.pushImage(t, "app", "v1").String()
	image := f.do(t, request{path: "/v2/app/manifests/v1"}).want(t, 200).body
	f.put(t, "app", "v2", ociManifest, image).want(t, 201)

	f.do(t, request{method: "DELETE", path: "/v2/app/manifests/v1"}).want(t, 202)
	f.do(t, request{path: "/v2/app/manifests/v1"}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{method: "DELETE", path: "/v2/app/manifests/v1"}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{path: "/v2/app/manifests/v2"}).want(t, 200)

	layer := digest.FromString("layer of app:v1").String()
	f.do(t, request{method: "DELETE", path: "/v2/app/blobs/" + layer}).want(t, 405, "UNSUPPORTED")
	f.do(t, request{method: "DELETE", path: "/v2/app/manifests/" + d}).want(t, 202)
	f.do(t, request{path: "/v2/app/manifests/" + d}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{path: "/v2/app/manifests/v2"}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{method: "DELETE", path: "/v2/app/manifests/" + d}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{method: "DELETE", path: "/v2/app/blobs/" + layer}).want(t, 202)
	f.do(t, request{path: "/v2/app/blobs/" + layer}).want(t, 404, "BLOB_UNKNOWN")
	f.do(t, request{method: "DELETE", path: "/v2/app/blobs/" + layer}).want(t, 404, "BLOB_UNKNOWN")
	f.do(t, request{method: "DELETE", path: "/v2/app/blobs/sha256:x"}).want(t, 400, "DIGEST_INVALID")
	// A repository without tags is still one.
	if a := f.do(t, request{path: "/v2/app/tags/list"}).want(t, 200); !strings.Contains(string(a.body), `"tags":[]`) {
		t.Errorf("tags %s", a.body)
	}
	// What was deleted can be pushed again, blob by blob.
	f.pushImage(t, "app", "v1")
	f.wantBlob(t, "app", digest.Digest(layer), []byte("layer of app:v1"))
	if _, err := f.server.Sweep(t.Context(), registryOf("contoso")); err != nil {
		t.Error(err)
	}
}
