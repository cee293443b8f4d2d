package oci_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// The files conformance_*_test.go check what the conformance suite of the OCI
// distribution specification checks, by its categories: pull, push, content
// discovery, content management.

// begin starts an upload and returns where it goes on.
func (f *fixture) begin(t testing.TB, repository string) string {
	t.Helper()
	a := f.do(t, request{method: "POST", path: "/v2/" + repository + "/blobs/uploads/"}).want(t, 202)
	return a.Header.Get("Location")
}

// chunk sends a part of an upload with its range.
func (f *fixture) chunk(t testing.TB, location string, from int, part []byte) answer {
	t.Helper()
	return f.do(t, request{method: "PATCH", path: location, body: part, header: map[string]string{
		"Content-Type":  "application/octet-stream",
		"Content-Range": fmt.Sprintf("%d-%d", from, from+len(part)-1),
	}})
}

// wantBlob checks that a blob can be read.
func (f *fixture) wantBlob(t testing.TB, repository string, d digest.Digest, content []byte) {
	t.Helper()
	path := "/v2/" + repository + "/blobs/" + d.String()
	for _, method := range []string{"HEAD", "GET"} {
		a := f.do(t, request{method: method, path: path}).want(t, 200)
		if a.Header.Get("Content-Length") != fmt.Sprint(len(content)) || a.Header.Get("Docker-Content-Digest") != d.String() {
			t.Errorf("%s %s: headers %v", method, path, a.Header)
		}
		if method == "GET" && !bytes.Equal(a.body, content) {
			t.Errorf("%s has %q", path, a.body)
		}
	}
}

func wantCreated(t testing.TB, f *fixture, a answer, d digest.Digest, content []byte) {
	t.Helper()
	a.want(t, 201)
	if got := a.Header.Get("Docker-Content-Digest"); got != d.String() {
		t.Errorf("created %s, want %s", got, d)
	}
	if got := f.do(t, request{path: a.Header.Get("Location")}).want(t, 200); !bytes.Equal(got.body, content) {
		t.Errorf("at the Location is %q", got.body)
	}
	f.wantBlob(t, "app", d, content)
}

// eachAlgorithm runs a test for both digest algorithms, with a function that makes
// content and its digest.
func eachAlgorithm(t *testing.T, test func(t *testing.T, f *fixture, content func(name string) ([]byte, digest.Digest))) {
	t.Parallel()
	f := start(t)
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		t.Run(algorithm.String(), func(t *testing.T) {
			test(t, f, func(name string) ([]byte, digest.Digest) {
				text := []byte(strings.Repeat(name+" "+algorithm.String()+" ", 50))
				return text, algorithm.FromBytes(text)
			})
		})
	}
}

func TestPushBlobsWhole(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f *fixture, content func(string) ([]byte, digest.Digest)) {
		text, d := content("post alone")
		wantCreated(t, f, f.do(t, request{
			method: "POST", path: "/v2/app/blobs/uploads/?digest=" + d.String(), body: text,
		}), d, text)

		text, d = content("post and put")
		wantCreated(t, f, f.do(t, request{method: "PUT", path: f.begin(t, "app") + "&digest=" + d.String(), body: text}), d, text)

		text, d = content("stream")
		a := f.do(t, request{method: "PATCH", path: f.begin(t, "app"), body: text}).want(t, 202)
		wantCreated(t, f, f.do(t, request{method: "PUT", path: a.Header.Get("Location") + "&digest=" + d.String()}), d, text)

		for _, text := range []string{"", "{}"} {
			d := d.Algorithm().FromString(text)
			f.do(t, request{method: "PUT", path: f.begin(t, "app") + "&digest=" + d.String(), body: []byte(text)}).want(t, 201)
			f.wantBlob(t, "app", d, []byte(text))
		}
	})
}

func TestPushBlobsInChunks(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f *fixture, content func(string) ([]byte, digest.Digest)) {
		for name, last := range map[string]bool{"all by PATCH": false, "the last by PUT": true} {
			text, d := content(name)
			location, at := f.begin(t, "app"), 0
			for ; at+100 < len(text); at += 100 {
				a := f.chunk(t, location, at, text[at:at+100]).want(t, 202)
				if got, want := a.Header.Get("Range"), fmt.Sprintf("0-%d", at+99); got != want {
					t.Errorf("after a chunk the range is %q, want %q", got, want)
				}
				location = a.Header.Get("Location")
			}
			var body []byte
			if last {
				body = text[at:]
			} else {
				location = f.chunk(t, location, at, text[at:]).want(t, 202).Header.Get("Location")
			}
			wantCreated(t, f, f.do(t, request{method: "PUT", path: location + "&digest=" + d.String(), body: body}), d, text)
		}
	})
}

func TestPushBlobsOutOfOrder(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f *fixture, content func(string) ([]byte, digest.Digest)) {
		text, d := content("order")
		location := f.begin(t, "app")
		f.chunk(t, location, 100, text[100:200]).want(t, 416)
		location = f.chunk(t, location, 0, text[:100]).want(t, 202).Header.Get("Location")
		f.chunk(t, location, 0, text[:100]).want(t, 416)
		f.chunk(t, location, 200, text[200:300]).want(t, 416)
		status := f.do(t, request{path: location}).want(t, 204)
		if got := status.Header.Get("Range"); got != "0-99" {
			t.Errorf("the range is %q", got)
		}
		location = f.chunk(t, status.Header.Get("Location"), 100, text[100:]).want(t, 202).Header.Get("Location")
		wantCreated(t, f, f.do(t, request{method: "PUT", path: location + "&digest=" + d.String()}), d, text)
	})
}

func TestPushBlobsWithAWrongDigest(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f *fixture, content func(string) ([]byte, digest.Digest)) {
		text, _ := content("right")
		_, d := content("wrong")
		put := func(location string, body []byte) {
			t.Helper()
			f.do(t, request{method: "PUT", path: location + "&digest=" + d.String(), body: body}).want(t, 400, "DIGEST_INVALID")
		}
		put(f.begin(t, "app"), text)
		put(f.do(t, request{method: "PATCH", path: f.begin(t, "app"), body: text}).want(t, 202).Header.Get("Location"), nil)
		f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/?digest=" + d.String(), body: text}).want(t, 400, "DIGEST_INVALID")
		f.do(t, request{path: "/v2/app/blobs/" + d.String()}).want(t, 404, "BLOB_UNKNOWN")
	})
}

func TestMountBlobs(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f *fixture, content func(string) ([]byte, digest.Digest)) {
		text, d := content("mounted")
		f.do(t, request{method: "POST", path: "/v2/source/blobs/uploads/?digest=" + d.String(), body: text}).want(t, 201)
		wantCreated(t, f, f.do(t, request{
			method: "POST", path: "/v2/app/blobs/uploads/?mount=" + d.String() + "&from=source",
		}), d, text)

		_, d = content("nowhere")
		for _, from := range []string{"&from=source", "&from=none", "", "&from=../app"} {
			a := f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/?mount=" + d.String() + from}).want(t, 202)
			if a.Header.Get("Location") == "" {
				t.Error("no Location to upload to")
			}
		}
	})
}

func TestUploadSessions(t *testing.T) {
	t.Parallel()
	f := start(t)
	text := []byte("some text")
	d := digest.FromBytes(text)
	t.Run("cancel", func(t *testing.T) {
		location := f.begin(t, "app")
		f.do(t, request{method: "DELETE", path: location}).want(t, 204)
		f.do(t, request{path: location}).want(t, 404, "BLOB_UPLOAD_UNKNOWN")
		f.do(t, request{method: "PATCH", path: location, body: text}).want(t, 404, "BLOB_UPLOAD_UNKNOWN")
	})
	t.Run("refused", func(t *testing.T) {
		location := f.begin(t, "app")
		f.do(t, request{method: "PUT", path: location, body: text}).want(t, 400, "DIGEST_INVALID")
		path, _, _ := strings.Cut(location, "?")
		f.do(t, request{method: "PATCH", path: path, body: text}).want(t, 404, "BLOB_UPLOAD_INVALID")
		f.do(t, request{method: "PATCH", path: strings.Replace(location, "/app/", "/other/", 1), body: text}).want(t, 404, "BLOB_UPLOAD_INVALID")
		f.do(t, request{method: "PUT", path: f.begin(t, "app") + "&digest=md5:" + strings.Repeat("0", 32), body: text}).want(t, 400, "DIGEST_INVALID")
		f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/?digest=sha256:0", body: text}).want(t, 400, "DIGEST_INVALID")
		f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/some-session"}).want(t, 405, "UNSUPPORTED")
	})
	t.Run("goes on after a restart", func(t *testing.T) {
		f := start(t)
		location := f.chunk(t, f.begin(t, "app"), 0, text[:4]).want(t, 202).Header.Get("Location")
		f.stop(t)
		g := startIn(t, f.dir)
		g.do(t, request{method: "PUT", path: location + "&digest=" + d.String(), body: text[4:]}).want(t, 201)
		g.wantBlob(t, "app", d, text)
	})
	t.Run("a body that ends early", func(t *testing.T) {
		location := f.begin(t, "app")
		r, err := http.NewRequestWithContext(t.Context(), "PATCH", "https://contoso.azurecr.test"+location, &cutReader{text[:4]})
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("owner", "o")
		if response, err := f.client.Do(r); err == nil {
			response.Body.Close()
			t.Fatalf("status %d for half a request", response.StatusCode)
		}
		// The server may have got some of it, or may be about to: the client asks
		// where to go on until it is right.
		for try := 0; ; try++ {
			status := f.do(t, request{path: location}).want(t, 204)
			var last int
			if _, err := fmt.Sscanf(status.Header.Get("Range"), "0-%d", &last); err != nil || last > 3 {
				t.Fatalf("the range is %q, %v", status.Header.Get("Range"), err)
			}
			if last > 0 {
				last++
			}
			a := f.do(t, request{method: "PUT", path: status.Header.Get("Location") + "&digest=" + d.String(), body: text[last:]})
			if a.StatusCode == 416 && try < 100 {
				continue
			}
			a.want(t, 201)
			break
		}
		f.wantBlob(t, "app", d, text)
	})
}

// cutReader is a body that fails after its text.
type cutReader struct{ text []byte }

func (c *cutReader) Read(p []byte) (int, error) {
	if len(c.text) == 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	n := copy(p, c.text)
	c.text = c.text[n:]
	return n, nil
}

func TestPushManifests(t *testing.T) {
	t.Parallel()
	f := start(t)
	image := f.imageManifest(t, "app", "one", object{"custom": object{"kept": "as it is"}})
	d := digest.FromBytes(image)
	created := func(a answer) {
		t.Helper()
		a.want(t, 201)
		if a.Header.Get("Docker-Content-Digest") != d.String() {
			t.Errorf("headers %v", a.Header)
		}
		if got := f.do(t, request{path: a.Header.Get("Location")}).want(t, 200); !bytes.Equal(got.body, image) {
			t.Errorf("at the Location is %s", got.body)
		}
	}
	created(f.put(t, "app", d.String(), ociManifest, image))
	created(f.put(t, "app", "v1", ociManifest, image))
	created(f.put(t, "app", "v1", ociManifest+"; charset=utf-8", image))
	created(f.put(t, "app", "v1", "", image))

	a := f.put(t, "app", d.String()+"?tag=x&tag=y&tag=x", ociManifest, image).want(t, 201)
	if got := a.Header.Values("OCI-Tag"); len(got) != 2 || got[0] != "x" || got[1] != "y" {
		t.Errorf("OCI-Tag is %v", got)
	}
	f.do(t, request{path: "/v2/app/manifests/y"}).want(t, 200)

	t.Run("sha512", func(t *testing.T) {
		d := digest.SHA512.FromBytes(image)
		f.put(t, "app", d.String(), ociManifest, image).want(t, 201)
		if a := f.do(t, request{path: "/v2/app/manifests/" + d.String()}).want(t, 200); a.Header.Get("Docker-Content-Digest") != d.String() {
			t.Errorf("headers %v", a.Header)
		}
	})
	t.Run("an index, nested and empty", func(t *testing.T) {
		inner := marshal(t, object{"schemaVersion": 2, "mediaType": ociIndex, "manifests": []object{descriptorOf(ociManifest, image)}})
		f.put(t, "app", digest.FromBytes(inner).String(), ociIndex, inner).want(t, 201)
		outer := marshal(t, object{"schemaVersion": 2, "mediaType": ociIndex, "manifests": []object{descriptorOf(ociIndex, inner)}})
		f.put(t, "app", "nested", ociIndex, outer).want(t, 201)
		empty := marshal(t, object{"schemaVersion": 2, "mediaType": ociIndex, "manifests": []object{}})
		f.put(t, "app", "empty", ociIndex, empty).want(t, 201)
		if a := f.do(t, request{path: "/v2/app/manifests/empty"}).want(t, 200); a.Header.Get("Content-Type") != ociIndex {
			t.Errorf("headers %v", a.Header)
		}
	})
	t.Run("layers that are elsewhere, and none", func(t *testing.T) {
		layer := descriptorOf("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", []byte("elsewhere"))
		layer["urls"] = []string{"https://store.example.com/layer"}
		f.put(t, "app", "foreign", ociManifest, f.imageManifest(t, "app", "foreign", object{"layers": []object{layer}})).want(t, 201)
		f.put(t, "app", "bare", ociManifest, f.imageManifest(t, "app", "bare", object{"layers": []object{}})).want(t, 201)
	})
	t.Run("a large one", func(t *testing.T) {
		notes := map[string]string{}
		for i := range 390 {
			notes[fmt.Sprint("note", i)] = strings.Repeat("A", 10000)
		}
		large := f.imageManifest(t, "app", "large", object{"annotations": notes})
		f.put(t, "app", "large", ociManifest, large).want(t, 201)
		for i := range 100 {
			notes[fmt.Sprint("more", i)] = strings.Repeat("A", 10000)
		}
		tooLarge := f.imageManifest(t, "app", "large", object{"annotations": notes})
		f.put(t, "app", "large", ociManifest, tooLarge).want(t, 413, "MANIFEST_INVALID")
	})
}

func TestBadManifests(t *testing.T) {
	t.Parallel()
	f := start(t)
	image := f.imageManifest(t, "app", "one", nil)
	missing := descriptorOf(ociLayer, []byte("never pushed"))
	other := digest.FromString("other").String()
	bad := func(name, reference, mediaType string, content []byte, code string) {
		t.Run(name, func(t *testing.T) {
			f.put(t, "app", reference, mediaType, content).want(t, 400, code)
		})
	}
	with := func(more object) []byte { return f.imageManifest(t, "app", "one", more) }
	bad("another digest", other, ociManifest, image, "DIGEST_INVALID")
	bad("no digest", "sha256:baddigeststring", ociManifest, image, "DIGEST_INVALID")
	bad("unknown algorithm", "md5:"+strings.Repeat("0", 32), ociManifest, image, "DIGEST_INVALID")
	bad("no tag", "-v1", ociManifest, image, "TAG_INVALID")
	bad("long tag", strings.Repeat("v", 129), ociManifest, image, "TAG_INVALID")
	bad("bad tag parameter", digest.FromBytes(image).String()+"?tag=-v1", ociManifest, image, "TAG_INVALID")
	bad("white space added", digest.FromBytes(image).String(), ociManifest, append(bytes.Clone(image), ' ', ' '), "DIGEST_INVALID")
	bad("no JSON", "v1", ociManifest, []byte("{"), "MANIFEST_INVALID")
	bad("nothing", "v1", ociManifest, nil, "MANIFEST_INVALID")
	bad("an array", "v1", ociManifest, []byte("[]"), "MANIFEST_INVALID")
	bad("null", "v1", ociManifest, []byte("null"), "MANIFEST_INVALID")
	bad("another media type", "v1", ociIndex, image, "MANIFEST_INVALID")
	bad("unknown media type", "v1", "text/plain", with(object{"mediaType": "text/plain"}), "MANIFEST_INVALID")
	bad("unreadable media type", "v1", "a/b/c; ;", image, "MANIFEST_INVALID")
	bad("no media type", "v1", "", with(object{"mediaType": nil}), "MANIFEST_INVALID")
	bad("schema 1", "v1", ociManifest, with(object{"schemaVersion": 1}), "MANIFEST_INVALID")
	bad("no config", "v1", ociManifest, with(object{"config": nil}), "MANIFEST_INVALID")
	bad("image and index", "v1", ociManifest, with(object{"manifests": []object{missing}}), "MANIFEST_INVALID")
	bad("index and image", "v1", ociIndex, with(object{"mediaType": ociIndex, "manifests": []object{}}), "MANIFEST_INVALID")
	bad("bad digest of a layer", "v1", ociManifest, with(object{"layers": []object{{"digest": "sha256:x"}}}), "DIGEST_INVALID")
	bad("bad digest of a subject", "v1", ociManifest, with(object{"subject": object{"digest": "../../x"}}), "DIGEST_INVALID")
	bad("negative size", "v1", ociManifest, with(object{"layers": []object{{"digest": other, "size": -1}}}), "MANIFEST_INVALID")
	bad("missing layer", "v1", ociManifest, with(object{"layers": []object{missing}}), "MANIFEST_BLOB_UNKNOWN")
	bad("missing config", "v1", ociManifest, with(object{"config": missing}), "MANIFEST_BLOB_UNKNOWN")
	index := marshal(t, object{"schemaVersion": 2, "mediaType": ociIndex, "manifests": []object{missing}})
	bad("missing child", "v1", ociIndex, index, "MANIFEST_BLOB_UNKNOWN")
	f.do(t, request{path: "/v2/app/tags/list"}).want(t, 404, "NAME_UNKNOWN")
}
