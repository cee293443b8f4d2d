package registry_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/drydockhq/drydock/test/registry"
)

// newImage returns an image with two layers of 1 KiB.
func newImage(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(1024, 2)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t *testing.T, o interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	digest, err := o.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func ref(t *testing.T, r *registry.Registry, s string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(r.Host + "/" + s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func push(t *testing.T, r *registry.Registry, to string, img v1.Image, opts ...remote.Option) {
	t.Helper()
	if err := remote.Write(ref(t, r, to), img, opts...); err != nil {
		t.Fatalf("pushing %s: %v", to, err)
	}
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var answer *transport.Error
	if !errors.As(err, &answer) || answer.StatusCode != status {
		t.Fatalf("got error %v, want one of status %d", err, status)
	}
}

// once makes a client try a single time.
func once() remote.Option { return remote.WithRetryBackoff(remote.Backoff{Steps: 1}) }

func TestContent(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	if repos, err := r.Repositories(); err != nil || len(repos) != 0 {
		t.Fatalf("an empty registry has repositories %q, error %v", repos, err)
	}
	img := newImage(t)
	push(t, r, "team/app:v1", img)
	push(t, r, "team/app:v0", img)
	push(t, r, "base", newImage(t))

	repos, err := r.Repositories()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"base", "team/app"}, repos); diff != "" {
		t.Errorf("repositories (-want +got):\n%s", diff)
	}
	tags, err := r.Tags("team/app")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"v0", "v1"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if tags, err := r.Tags("nothing"); err != nil || tags != nil {
		t.Errorf("tags of no repository: %q, %v", tags, err)
	}
	if got, err := r.Digest("team/app:v1"); err != nil || got != digestOf(t, img) {
		t.Errorf("digest %s, %v; want %s", got, err, digestOf(t, img))
	}
	if got, err := r.Digest("team/app:v2"); err != nil || got != "" {
		t.Errorf("digest of no tag: %q, %v", got, err)
	}
	want, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	got, mediaType, err := r.Manifest("team/app@" + digestOf(t, img))
	if err != nil || string(got) != string(want) {
		t.Errorf("manifest %s, %v; want %s", got, err, want)
	}
	if want, err := img.MediaType(); err != nil || mediaType != string(want) {
		t.Errorf("media type %s, want %s, %v", mediaType, want, err)
	}
}

func TestIndexKeepsItsDigest(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	index, err := random.Index(1024, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref(t, r, "multi:v1"), index); err != nil {
		t.Fatal(err)
	}
	desc, err := r.Get("multi:v1")
	if err != nil {
		t.Fatal(err)
	}
	if !desc.MediaType.IsIndex() || desc.Digest.String() != digestOf(t, index) {
		t.Errorf("stored %s %s, want an index %s", desc.MediaType, desc.Digest, digestOf(t, index))
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	img := newImage(t)
	push(t, r, "app:v1", img)

	first := r.Count()
	if first.UploadStarts != 3 || first.Uploads != 3 || first.ManifestPuts != 1 || first.Mounts != 0 {
		t.Errorf("a first push of two layers and a configuration counts %+v", first)
	}
	size := imageSize(t, img)
	if first.UploadedBytes != size {
		t.Errorf("a first push uploads %d bytes, want %d", first.UploadedBytes, size)
	}

	push(t, r, "app:v2", img)
	second := r.Count().Sub(first)
	if second.UploadStarts != 0 || second.Uploads != 0 || second.UploadedBytes != 0 || second.ManifestPuts != 1 {
		t.Errorf("a second push counts %+v", second)
	}

	before := r.Count()
	pulled, err := remote.Image(ref(t, r, "app:v2"))
	if err != nil {
		t.Fatal(err)
	}
	push(t, r, "other/app:v1", pulled)
	if mounted := r.Count().Sub(before); mounted.Mounts != 3 || mounted.Uploads != 0 {
		t.Errorf("a push of a pulled image counts %+v, want its 3 blobs mounted", mounted)
	}

	before = r.Count()
	if _, err := remote.Head(ref(t, r, "app:v1")); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Get(ref(t, r, "app:v1")); err != nil {
		t.Fatal(err)
	}
	want := registry.Counts{Pings: 2, ManifestHeads: 1, ManifestGets: 1}
	if diff := cmp.Diff(want, r.Count().Sub(before)); diff != "" {
		t.Errorf("a HEAD and a GET (-want +got):\n%s", diff)
	}
	if _, err := r.Digest("app:v1"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.Count().Sub(before)); diff != "" {
		t.Errorf("looking at the content counts (-want +got):\n%s", diff)
	}
}

// imageSize returns the bytes of an image's blobs.
func imageSize(t *testing.T, img v1.Image) int64 {
	t.Helper()
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	size := manifest.Config.Size
	for _, l := range manifest.Layers {
		size += l.Size
	}
	return size
}

func TestRequests(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	push(t, r, "a/b:v1", newImage(t), remote.WithUserAgent("drydock-test"))
	all := r.Requests()
	i := slices.IndexFunc(all, func(q registry.Request) bool {
		return q.Kind == registry.KindManifest && q.Method == http.MethodPut
	})
	if i < 0 {
		t.Fatalf("no PUT of a manifest in %+v", all)
	}
	put := all[i]
	if put.Repository != "a/b" || put.Reference != "v1" || put.Status != http.StatusCreated ||
		!strings.HasPrefix(put.UserAgent, "drydock-test") || put.BodyBytes == 0 {
		t.Errorf("the PUT of the manifest is %+v", put)
	}
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{Middleware: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Test", "yes")
			next.ServeHTTP(w, r)
		})
	}})
	response, err := http.Get(r.URL + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Test") != "yes" {
		t.Errorf("answer %d %v", response.StatusCode, response.Header)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{TLS: true, Names: []string{"registry.test"}})
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(r.CA) {
		t.Fatalf("no certificate in %s", r.CA)
	}
	client := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(client.CloseIdleConnections)
	push(t, r, "app:v1", newImage(t), remote.WithTransport(client))

	named := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "registry.test"}}
	t.Cleanup(named.CloseIdleConnections)
	if _, err := remote.Head(ref(t, r, "app:v1"), remote.WithTransport(named)); err != nil {
		t.Errorf("asking for the name of the options: %v", err)
	}
	if response, err := http.Get(r.URL + "/v2/"); err == nil {
		response.Body.Close()
		t.Error("a client that doesn't know the CA was served")
	}
}

func TestDirOutlivesTheRegistry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	img := newImage(t)
	first, err := registry.New(registry.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	push(t, first, "app:v1", img)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := registry.Start(t, registry.Options{Dir: dir})
	if got, err := second.Digest("app:v1"); err != nil || got != digestOf(t, img) {
		t.Errorf("after a restart the digest is %q, %v", got, err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	r, err := registry.New(registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	push(t, r, "app:v1", newImage(t))
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
	if response, err := http.Get(r.URL + "/v2/"); err == nil {
		response.Body.Close()
		t.Error("a closed registry answers")
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	taken := registry.Start(t, registry.Options{})
	for name, o := range map[string]registry.Options{
		"address in use":  {Addr: taken.Host},
		"no such address": {Addr: "nowhere"},
	} {
		if r, err := registry.New(o); err == nil {
			t.Errorf("%s: started at %s", name, r.Host)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := registry.Start(t, registry.Options{Log: file})
	push(t, r, "app:v1", newImage(t))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file.Name())
	if err != nil || !strings.Contains(string(text), "response completed") {
		t.Errorf("the registry's log is %q, %v", text, err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	r.Inject(registry.Fault{Match: registry.On(http.MethodHead, registry.KindManifest), Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	asked := make(chan error, 1)
	go func() {
		_, err := remote.Head(ref(t, r, "app:v1"), remote.WithContext(ctx), once())
		asked <- err
	}()
	hanging := func(all []registry.Request) bool {
		return slices.ContainsFunc(all, func(q registry.Request) bool {
			return q.Kind == registry.KindManifest && q.Status == 0
		})
	}
	if err := r.Wait(ctx, hanging); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-asked:
		t.Fatalf("a hanging request was answered: %v", err)
	default:
	}
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the client's own end", err)
	}
	if err := r.Wait(ctx, func([]registry.Request) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait returns %v after its context ended", err)
	}
}

func basic(user, password string) remote.Option {
	return remote.WithAuth(&authn.Basic{Username: user, Password: password})
}
