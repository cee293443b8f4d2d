package oci_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
	"github.com/drydockhq/drydock/test/registry"
)

// signedIndex pushes an index of two images with a signature on one of them, and
// one on the signature.
func (f *fixture) signedIndex(t *testing.T, repository, tag string) (index digest.Digest, all []digest.Digest) {
	t.Helper()
	var children []object
	for _, name := range []string{"one", "two"} {
		image := f.imageManifest(t, repository, name, nil)
		all = append(all, digest.FromBytes(image))
		f.put(t, repository, digest.FromBytes(image).String(), ociManifest, image).want(t, 201)
		children = append(children, descriptorOf(ociManifest, image))
	}
	subject := children[0]
	for _, name := range []string{"signature", "of the signature"} {
		signature := f.imageManifest(t, repository, name, object{"artifactType": "application/" + name, "subject": subject})
		all = append(all, digest.FromBytes(signature))
		f.put(t, repository, digest.FromBytes(signature).String(), ociManifest, signature).want(t, 201)
		subject = descriptorOf(ociManifest, signature)
	}
	content := marshal(t, object{"schemaVersion": 2, "mediaType": ociIndex, "manifests": children})
	f.put(t, repository, tag, ociIndex, content).want(t, 201)
	return digest.FromBytes(content), append(all, digest.FromBytes(content))
}

// counting counts the blobs that are read of a source.
type counting struct {
	oci.Source
	blobs []string
}

func (c *counting) Blob(ctx context.Context, d string) (io.ReadCloser, error) {
	c.blobs = append(c.blobs, d)
	return c.Source.Blob(ctx, d)
}

func (f *fixture) local(t *testing.T, reg, repository string) *counting {
	t.Helper()
	s, err := f.server.LocalSource(registryOf(reg), repository)
	if err != nil {
		t.Fatal(err)
	}
	return &counting{Source: s}
}

func (f *fixture) manifests(t *testing.T, reg, repository string) []digest.Digest {
	t.Helper()
	all, err := f.store.Manifests(t.Context(), drydock.ManifestFilter{Registry: registryID(reg), Repository: repository})
	if err != nil {
		t.Fatal(err)
	}
	var digests []digest.Digest
	for _, m := range all {
		digests = append(digests, digest.Digest(m.Digest))
	}
	return digests
}

func TestImportBetweenRegistries(t *testing.T) {
	t.Parallel()
	f := start(t)
	index, all := f.signedIndex(t, "app", "v1")
	slices.Sort(all)
	source := f.local(t, "contoso", "app")
	imp := oci.Import{
		Source: source, Reference: "v1", Actor: "importer",
		Targets: []oci.ImportTarget{{Repository: "mirror/app", Tag: "v1"}, {Repository: "other"}},
	}
	if err := f.server.Import(t.Context(), registryOf("fabrikam"), imp); err != nil {
		t.Fatal(err)
	}
	for _, repository := range []string{"mirror/app", "other"} {
		if d := cmp.Diff(all, f.manifests(t, "fabrikam", repository)); d != "" {
			t.Errorf("%s (-want +got):\n%s", repository, d)
		}
	}
	if len(source.blobs) != 8 {
		t.Errorf("read %d blobs for two targets, want each of 8 once", len(source.blobs))
	}
	a := f.do(t, request{host: "fabrikam.azurecr.test", path: "/v2/mirror/app/manifests/v1"}).want(t, 200)
	if a.Header.Get("Docker-Content-Digest") != index.String() {
		t.Errorf("the tag is %s", a.Header.Get("Docker-Content-Digest"))
	}
	m, err := f.store.Manifest(t.Context(), drydock.ArtifactRef{Registry: registryID("fabrikam"), Repository: "other", Reference: all[0].String()})
	if err != nil || m.OS == "" && m.Children == nil {
		t.Errorf("a copy is %+v, %v", m, err)
	}
	f.do(t, request{host: "fabrikam.azurecr.test", path: "/v2/other/blobs/" + digest.FromString("layer of one").String()}).want(t, 200)

	t.Run("again", func(t *testing.T) {
		source.blobs = nil
		if err := f.server.Import(t.Context(), registryOf("fabrikam"), imp); err != nil {
			t.Error(err)
		}
		if len(source.blobs) > 0 {
			t.Errorf("read %v", source.blobs)
		}
	})
	t.Run("within a registry nothing is copied", func(t *testing.T) {
		source := f.local(t, "contoso", "app")
		imp := oci.Import{Source: source, Reference: index.String(), Targets: []oci.ImportTarget{{Repository: "copy", Tag: "v2"}}}
		if err := f.server.Import(t.Context(), registryOf("contoso"), imp); err != nil || len(source.blobs) > 0 {
			t.Errorf("%v, read %v", err, source.blobs)
		}
		f.do(t, request{path: "/v2/copy/manifests/v2"}).want(t, 200)
		f.do(t, request{path: "/v2/copy/blobs/" + digest.FromString("layer of two").String()}).want(t, 200)
	})
	t.Run("a tag that is taken", func(t *testing.T) {
		f.pushImage(t, "taken", "v1")
		imp := oci.Import{Source: f.local(t, "contoso", "app"), Reference: "v1", Targets: []oci.ImportTarget{{Repository: "taken", Tag: "v1"}}}
		if err := f.server.Import(t.Context(), registryOf("contoso"), imp); drydock.CodeOf(err) != drydock.Conflict {
			t.Errorf("error %v", err)
		}
		imp.Force = true
		if err := f.server.Import(t.Context(), registryOf("contoso"), imp); err != nil {
			t.Error(err)
		}
		a := f.do(t, request{path: "/v2/taken/manifests/v1"}).want(t, 200)
		if a.Header.Get("Docker-Content-Digest") != index.String() {
			t.Error("the tag did not move")
		}
	})
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pushImage(t, "app", "v1")
	source := f.local(t, "contoso", "app")
	target := []oci.ImportTarget{{Repository: "copy", Tag: "v1"}}
	for name, test := range map[string]struct {
		imp  oci.Import
		want drydock.Code
	}{
		"no such tag":     {oci.Import{Source: source, Reference: "v9", Targets: target}, drydock.NotFound},
		"no such digest":  {oci.Import{Source: source, Reference: digest.FromString("x").String(), Targets: target}, drydock.NotFound},
		"a bad name":      {oci.Import{Source: source, Reference: "v1", Targets: []oci.ImportTarget{{Repository: "../x"}}}, drydock.Invalid},
		"a bad tag":       {oci.Import{Source: source, Reference: "v1", Targets: []oci.ImportTarget{{Repository: "x", Tag: "-"}}}, drydock.Invalid},
		"another content": {oci.Import{Source: liar{source}, Reference: digest.FromString("x").String(), Targets: target}, drydock.Invalid},
		"another blob":    {oci.Import{Source: blobLiar{source}, Reference: "v1", Targets: []oci.ImportTarget{{Repository: "copy"}}}, drydock.Invalid},
		"nobody there":    {oci.Import{Source: oci.RemoteSource{Repository: "127.0.0.1:1/app"}, Reference: "v1", Targets: target}, drydock.Unavailable},
		"a bad source":    {oci.Import{Source: oci.RemoteSource{Repository: "not a repository"}, Reference: "v1", Targets: target}, drydock.Invalid},
	} {
		if err := f.server.Import(t.Context(), registryOf("fabrikam"), test.imp); drydock.CodeOf(err) != test.want {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if left := f.manifests(t, "fabrikam", "copy"); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// liar returns a manifest that was not asked for.
type liar struct{ oci.Source }

func (l liar) Manifest(ctx context.Context, _ string) ([]byte, string, error) {
	return l.Source.Manifest(ctx, "v1")
}

// blobLiar returns other blobs than those that were asked for.
type blobLiar struct{ oci.Source }

func (l blobLiar) Blob(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("something else")), nil
}

func TestImportFromAnotherServer(t *testing.T) {
	t.Parallel()
	f := start(t)
	outside := registry.Start(t, registry.Options{Users: map[string]string{"u": "p"}, Tokens: true})
	index, err := random.Index(1000, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	outsider := (&fixture{Server: nil, users: &users{passwords: map[string]string{"u": "p"}}, client: &http.Client{Transport: http.DefaultTransport}}).as(t, "u")
	host, err := name.NewRegistry(outside.Host)
	if err != nil {
		t.Fatal(err)
	}
	// One letter is a name by the specification.
	if err := remote.WriteIndex(host.Repo("b").Tag("1"), index, outsider...); err != nil {
		t.Fatal(err)
	}
	source := oci.RemoteSource{Repository: outside.Host + "/b", Username: "u", Password: "p"}
	imp := oci.Import{Source: source, Reference: "1", Targets: []oci.ImportTarget{{Repository: "base", Tag: "1"}}}
	if err := f.server.Import(t.Context(), registryOf("contoso"), imp); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(parse(t, "contoso.azurecr.test/base:1"), f.as(t, "puller")...)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := index.Digest()
	if d, err := got.Digest(); err != nil || d != want {
		t.Errorf("imported %v, %v; want %v", d, err, want)
	}
	source.Password = "wrong"
	imp.Source = source
	if err := f.server.Import(t.Context(), registryOf("contoso"), imp); drydock.CodeOf(err) != drydock.Denied {
		t.Errorf("with a wrong password: %v", err)
	}
	source.Password, imp.Reference = "p", "none"
	imp.Source = source
	if err := f.server.Import(t.Context(), registryOf("contoso"), imp); drydock.CodeOf(err) != drydock.NotFound {
		t.Errorf("a tag that is not there: %v", err)
	}
}
