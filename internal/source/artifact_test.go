package source_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/source"
)

// artifacts is a registry of a test.
type artifacts struct {
	t    *testing.T
	host string
}

// newArtifacts starts a registry that takes a password, if there is one.
func newArtifacts(t *testing.T, password string) *artifacts {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, p, _ := r.BasicAuth(); p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}`, http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &artifacts{t, strings.TrimPrefix(server.URL, "http://")}
}

// layer is a layer made of bytes.
func layer(data []byte, mediaType types.MediaType, annotations map[string]string) mutate.Addendum {
	return mutate.Addendum{Layer: static.NewLayer(data, mediaType), Annotations: annotations, MediaType: mediaType}
}

func titled(title, unpack string) map[string]string {
	m := map[string]string{"org.opencontainers.image.title": title}
	if unpack != "" {
		m["io.deis.oras.content.unpack"] = unpack
	}
	return m
}

// push pushes an artifact and returns it as a source.
func (a *artifacts) push(repository, password string, layers ...mutate.Addendum) string {
	a.t.Helper()
	image, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layers...)
	if err != nil {
		a.t.Fatal(err)
	}
	ref, err := name.ParseReference(a.host + "/" + repository)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: "u", Password: password})); err != nil {
		a.t.Fatal(err)
	}
	return "oci://" + a.host + "/" + repository
}

func TestArtifact(t *testing.T) {
	t.Parallel()
	a := newArtifacts(t, "")
	spec := a.push("team/src:v1", "",
		layer(gzipped(t, archive(t, file("a", "x", 0o755), file("b", "old", 0o644))), types.OCILayer, nil),
		layer(archive(t, file("b", "new", 0o644)), types.OCIUncompressedLayer, nil),
		layer(gzipped(t, archive(t, folder("app/", 0o755), file("app/Dockerfile", "FROM scratch", 0o644))), types.OCILayer, titled("app", "true")),
		layer([]byte("name: x"), "application/x-yaml", titled("conf/task.yaml", "")),
		layer(archive(t), types.OCILayer, titled("kept.tar", "false")))
	f := newFetcher(t)
	got := f.fetch(spec)
	want := []string{"755 a=x", "755 app/", "644 app/Dockerfile=FROM scratch", "644 b=new", "755 conf/", "644 conf/task.yaml=name: x", "644 kept.tar=" + string(archive(t))}
	if diff := cmp.Diff(want, tree(t, got.Dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !f.logged("Pulled " + a.host + "/team/src:v1 with digest sha256:") {
		t.Errorf("logged %q", f.log)
	}
}

// A pinned artifact is what its digest says, wherever its tag is by now.
func TestArtifactPinned(t *testing.T) {
	t.Parallel()
	a := newArtifacts(t, "")
	push := func(body string) string {
		return a.push("src:v1", "", layer(gzipped(t, archive(t, file("a", body, 0o644))), types.OCILayer, nil))
	}
	f := newFetcher(t)
	f.Pin.Digest = f.fetch(push("old")).Digest
	got := f.fetch(push("new"))
	if files := tree(t, got.Dir); files[0] != "644 a=old" || got.Digest != f.Pin.Digest {
		t.Errorf("got %v of %s, want what %s is", files, got.Digest, f.Pin.Digest)
	}
}

func TestArtifactCredentials(t *testing.T) {
	t.Parallel()
	a := newArtifacts(t, "s3cret")
	spec := a.push("src:v1", "s3cret", layer(gzipped(t, archive(t, file("a", "x", 0o644))), types.OCILayer, nil))
	f := newFetcher(t)
	if e := f.refused(spec, "pulling the source"); e.Code != drydock.Denied || e.Hint == "" {
		t.Errorf("%+v", e)
	}
	f.Login = "ask the operator"
	if e := f.refused(spec, "pulling the source"); e.Hint != f.Login {
		t.Errorf("%+v", e)
	}
	f.Keychain = credentials.Static("a test", drydock.Credential{Registry: a.host, Username: "u", Password: "s3cret"})
	f.fetch(spec)
	f.Keychain = credentials.Static("a test", drydock.Credential{Registry: a.host, Username: "u", Password: "wr0ng"})
	if e := f.refused(spec, "pulling the source"); e.Code != drydock.Denied || strings.Contains(e.Error(), "wr0ng") {
		t.Errorf("%+v", e)
	}
}

func TestArtifactRefused(t *testing.T) {
	t.Parallel()
	a := newArtifacts(t, "")
	f := newFetcher(t)
	if e := f.refused("oci://"+a.host+"/none:v1", "pulling the source "+a.host+"/none:v1"); e.Code != drydock.Invalid {
		t.Errorf("%+v", e)
	}
	f.refused("oci://"+a.host+"/UPPER", "not the name of an artifact")
	f.refused("oci://", "not the name of an artifact")
	for title, want := range map[string]string{"../evil": `refusing its entry "../evil"`, "/evil": "is absolute", ".": "stands for the whole folder"} {
		f.refused(a.push("evil:v1", "", layer([]byte("x"), "text/plain", titled(title, ""))), want)
	}
	evil := layer(gzipped(t, archive(t, symlink("l", "/etc"))), types.OCILayer, titled("l", "true"))
	f.refused(a.push("evil:v2", "", evil), `refusing its entry "l"`)
	f.refused(a.push("odd:v1", "", layer([]byte("x"), "application/x-odd", nil)), "a layer of type application/x-odd")
	f.refused(a.push("empty:v1", ""), "holds no files")
	f.Limits = source.Limits{Bytes: 10}
	f.refused(a.push("big:v1", "", layer([]byte("12345678901"), "text/plain", titled("x", ""))), "unpacks to more than 10B")
	f.refused(a.push("big:v2", "", layer([]byte("12345678"), "text/plain", titled("x", "")), layer([]byte("12345678"), "text/plain", titled("y", ""))), "unpacks to more than 10B")
}

func TestArtifactIndex(t *testing.T) {
	t.Parallel()
	a := newArtifacts(t, "")
	ref, err := name.ParseReference(a.host + "/index:v1")
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: empty.Image, Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1}})
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	newFetcher(t).refused("oci://"+a.host+"/index:v1", "is an index of several artifacts")
}

// dialled is a transport that only notes where it was to go.
type dialled struct{ urls chan string }

func (d dialled) RoundTrip(r *http.Request) (*http.Response, error) {
	d.urls <- r.URL.Scheme + "://" + r.URL.Host
	return nil, http.ErrServerClosed
}

// A private address is no reason to send a password in the clear.
func TestArtifactPlainHTTP(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		d := dialled{make(chan string, 100)}
		f := newFetcher(t)
		f.HTTP = &http.Client{Transport: d}
		if allowed {
			f.PlainHTTP = func(host string) bool { return host == "10.1.2.3:5000" }
		}
		f.refused("oci://10.1.2.3:5000/src:v1", "pulling the source")
		close(d.urls)
		plain := false
		for u := range d.urls {
			plain = plain || u == "http://10.1.2.3:5000"
		}
		if plain != allowed {
			t.Errorf("allowed %v, spoke plain HTTP %v", allowed, plain)
		}
	}
}
