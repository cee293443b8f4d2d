package oci_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestReferrers(t *testing.T) {
	t.Parallel()
	f := start(t)
	subject := f.imageManifest(t, "app", "subject", nil)
	f.put(t, "app", "v1", ociManifest, subject).want(t, 201)
	about := descriptorOf(ociManifest, subject)
	empty := []byte("{}")
	f.pushBlob(t, "app", empty)
	refer := func(mediaType string, more object) string {
		t.Helper()
		m := object{"schemaVersion": 2, "mediaType": mediaType, "subject": about}
		for name, value := range more {
			m[name] = value
		}
		content := marshal(t, m)
		d := digest.FromBytes(content).String()
		a := f.put(t, "app", d, mediaType, content).want(t, 201)
		if a.Header.Get("OCI-Subject") != about["digest"] {
			t.Errorf("OCI-Subject is %q", a.Header.Get("OCI-Subject"))
		}
		return d
	}
	nothing := descriptorOf("application/vnd.oci.empty.v1+json", empty)
	notes := object{"org.example.note": "signed"}
	signature := refer(ociManifest, object{"artifactType": "application/signature", "config": nothing, "layers": []object{nothing}, "annotations": notes})
	sbom := refer(ociManifest, object{"config": descriptorOf("application/sbom", empty), "layers": []object{nothing}})
	index := refer(ociIndex, object{"artifactType": "application/signature", "manifests": []object{}})
	old := refer("application/vnd.oci.artifact.manifest.v1+json", object{"artifactType": "application/old", "blobs": []object{nothing}})

	type entry struct {
		MediaType, Digest, ArtifactType string
		Size                            int64
		Annotations                     map[string]string
	}
	list := func(query string, want ...string) (answer, map[string]entry) {
		t.Helper()
		a := f.do(t, request{path: "/v2/app/referrers/" + about["digest"].(string) + query}).want(t, 200)
		var body struct {
			SchemaVersion int
			MediaType     string
			Manifests     []entry
		}
		a.decode(t, &body)
		got := map[string]entry{}
		for _, m := range body.Manifests {
			got[m.Digest] = m
		}
		if a.Header.Get("Content-Type") != ociIndex || body.MediaType != ociIndex || body.SchemaVersion != 2 || len(got) != len(want) {
			t.Errorf("%q: %v %s", query, a.Header, a.body)
		}
		for _, d := range want {
			if _, ok := got[d]; !ok {
				t.Errorf("%q lacks %s: %s", query, d, a.body)
			}
		}
		return a, got
	}
	a, all := list("", signature, sbom, index, old)
	if a.Header.Get("OCI-Filters-Applied") != "" {
		t.Error("a filter was applied")
	}
	if m := all[signature]; m.ArtifactType != "application/signature" || m.MediaType != ociManifest || m.Size == 0 || m.Annotations["org.example.note"] != "signed" {
		t.Errorf("the signature is %+v", m)
	}
	if all[sbom].ArtifactType != "application/sbom" || all[index].MediaType != ociIndex || all[old].ArtifactType != "application/old" {
		t.Errorf("the others are %+v", all)
	}
	a, _ = list("?artifactType=application/signature", signature, index)
	if a.Header.Get("OCI-Filters-Applied") != "artifactType" {
		t.Errorf("filters %q", a.Header.Get("OCI-Filters-Applied"))
	}
	list("?artifactType=none")
	page, first := list("?n=3", slices.Sorted(slices.Values([]string{signature, sbom, index, old}))[:3]...)
	next := strings.TrimSuffix(strings.TrimPrefix(page.Header.Get("Link"), "<"), `>; rel="next"`)
	if a := f.do(t, request{path: next}).want(t, 200); a.Header.Get("Link") != "" || len(first) != 3 {
		t.Errorf("the second page %q is %s", next, a.body)
	}

	for _, path := range []string{
		"/v2/app/referrers/" + digest.FromString("none").String(), "/v2/none/referrers/" + digest.FromString("none").String(),
	} {
		if a := f.do(t, request{path: path}).want(t, 200); !strings.Contains(string(a.body), `"manifests":[]`) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	f.do(t, request{path: "/v2/app/referrers/v1"}).want(t, 400, "DIGEST_INVALID")

	t.Run("a subject that is not there", func(t *testing.T) {
		missing := object{"mediaType": ociManifest, "digest": digest.FromString("later").String(), "size": 5}
		content := marshal(t, object{"schemaVersion": 2, "mediaType": ociManifest, "config": nothing, "layers": []object{nothing}, "subject": missing})
		if a := f.put(t, "app", "early", ociManifest, content).want(t, 201); a.Header.Get("OCI-Subject") != missing["digest"] {
			t.Errorf("headers %v", a.Header)
		}
		a := f.do(t, request{path: "/v2/app/referrers/" + missing["digest"].(string)}).want(t, 200)
		if !strings.Contains(string(a.body), digest.FromBytes(content).String()) {
			t.Errorf("referrers %s", a.body)
		}
	})
	t.Run("they go with their subject", func(t *testing.T) {
		f.do(t, request{method: "DELETE", path: "/v2/app/manifests/" + about["digest"].(string)}).want(t, 202)
		list("")
		f.do(t, request{path: "/v2/app/manifests/" + signature}).want(t, 404, "MANIFEST_UNKNOWN")
	})
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
