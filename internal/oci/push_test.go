package oci_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// as returns the options of a client that signs in.
func (f *fixture) as(t testing.TB, user string) []remote.Option {
	return []remote.Option{
		remote.WithTransport(f.client.Transport), remote.WithContext(t.Context()),
		remote.WithAuth(&authn.Basic{Username: user, Password: f.users.passwords[user]}),
	}
}

func parse(t testing.TB, ref string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPushAndPull(t *testing.T) {
	t.Parallel()
	f := start(t)
	image, err := random.Image(100_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	ref := parse(t, "contoso.azurecr.test/team/app:v1")
	if err := remote.Write(ref, image, f.as(t, "pusher")...); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(ref, f.as(t, "pusher")...)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := image.Digest()
	if d, err := got.Digest(); err != nil || d != want {
		t.Errorf("pulled %v, %v; want %v", d, err, want)
	}
	layers, err := got.Layers()
	if err != nil || len(layers) != 3 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	for i, layer := range layers {
		pushed, _ := image.Layers()
		a, _ := layer.Digest()
		b, _ := pushed[i].Digest()
		if _, err := layer.Uncompressed(); err != nil || a != b {
			t.Errorf("layer %d is %v, %v; want %v", i, a, err, b)
		}
	}
	tags, err := remote.List(ref.Context(), f.as(t, "puller")...)
	if d := cmp.Diff([]string{"v1"}, tags); d != "" || err != nil {
		t.Errorf("tags %v, %v", tags, err)
	}
	if d := cmp.Diff([]string{"contoso registry.push team/app:v1"}, f.events(t)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestRegistriesAreIsolated(t *testing.T) {
	t.Parallel()
	f := start(t)
	d := f.pushImage(t, "app", "v1")
	f.do(t, request{host: "fabrikam.azurecr.test", path: "/v2/app/manifests/v1"}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{host: "fabrikam.azurecr.test", path: "/v2/app/manifests/" + d.String()}).want(t, 404, "MANIFEST_UNKNOWN")
	f.do(t, request{host: "fabrikam.azurecr.test", path: "/v2/_catalog"}).want(t, 200)
	blob := f.pushBlob(t, "app", []byte("of contoso"))
	f.do(t, request{host: "fabrikam.azurecr.test", path: "/v2/app/blobs/" + blob.String()}).want(t, 404, "BLOB_UNKNOWN")
	mount := "/v2/other/blobs/uploads/?mount=" + blob.String() + "&from=app"
	f.do(t, request{method: http.MethodPost, host: "fabrikam.azurecr.test", path: mount}).want(t, 202)
	f.do(t, request{host: "nobody.azurecr.test", path: "/v2/"}).want(t, 404, "NAME_UNKNOWN")
}
