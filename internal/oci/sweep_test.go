package oci_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
)

// grace sets how long blobs that nobody needs are kept.
func grace(d time.Duration) options { return func(o *oci.Options) { o.Grace = d } }

// noGrace lets nothing that nobody needs survive a sweep.
const noGrace = time.Nanosecond

// stored returns the digests of the blobs in a registry's storage.
func (f *fixture) stored(t testing.TB) map[digest.Digest]bool {
	t.Helper()
	found := map[digest.Digest]bool{}
	err := filepath.WalkDir(filepath.Join(f.dir, "registries", "contoso"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == "data" && strings.Contains(path, "/blobs/sha256/") {
			found[digest.NewDigestFromEncoded(digest.SHA256, filepath.Base(filepath.Dir(path)))] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (f *fixture) sweep(t testing.TB) oci.Swept {
	t.Helper()
	swept, err := f.server.Sweep(t.Context(), registryOf("contoso"))
	if err != nil {
		t.Fatal(err)
	}
	return swept
}

func TestSweep(t *testing.T) {
	t.Parallel()
	f := start(t, grace(noGrace), func(o *oci.Options) { o.UploadGrace = noGrace })
	needed := f.pushImage(t, "app", "v1")
	gone := f.pushImage(t, "app", "v2")
	f.pushImage(t, "other", "v1")
	f.pushBlob(t, "app", []byte("of no manifest"))
	f.pushBlob(t, "other", []byte("layer of app:v1")) // needed by one repository, not by the other
	f.do(t, request{method: "DELETE", path: "/v2/app/manifests/" + gone.String()}).want(t, 202)
	f.begin(t, "app")

	swept := f.sweep(t)
	want := oci.Swept{Links: 4, Blobs: 3, Uploads: 1, Bytes: int64(
		len("of no manifest") + len("layer of app:v2") + len(`{"os":"linux","architecture":"amd64","seed":"app:v2"}`))}
	if swept != want {
		t.Errorf("swept %+v, want %+v", swept, want)
	}
	if swept := f.sweep(t); swept != (oci.Swept{}) {
		t.Errorf("swept again %+v", swept)
	}
	left := f.stored(t)
	for _, text := range []string{"layer of app:v1", "layer of other:v1"} {
		if !left[digest.FromString(text)] {
			t.Errorf("%q is gone", text)
		}
	}
	if len(left) != 4 {
		t.Errorf("left are %v", left)
	}
	f.do(t, request{path: "/v2/app/manifests/" + needed.String()}).want(t, 200)
	f.wantBlob(t, "app", digest.FromString("layer of app:v1"), []byte("layer of app:v1"))
	f.do(t, request{path: "/v2/other/blobs/" + digest.FromString("layer of app:v1").String()}).want(t, 404, "BLOB_UNKNOWN")
	used, err := f.store.Usage(t.Context(), registryID("contoso"))
	if err != nil || used > 2000 {
		t.Errorf("usage %d, %v", used, err)
	}
}

func TestSweepKeepsWhatIsNew(t *testing.T) {
	t.Parallel()
	f := start(t, grace(time.Hour))
	d := f.pushBlob(t, "app", []byte("of no manifest yet"))
	location := f.begin(t, "app")
	if swept := f.sweep(t); swept != (oci.Swept{}) {
		t.Errorf("swept %+v", swept)
	}
	f.wantBlob(t, "app", d, []byte("of no manifest yet"))
	f.do(t, request{path: location}).want(t, 204)
}

// Bytes that were lost are there again when somebody pushes them.
func TestLostBytesArePushedAgain(t *testing.T) {
	t.Parallel()
	f := start(t)
	text := []byte("lost and found")
	d := f.pushBlob(t, "app", text)
	blobs := filepath.Join(f.dir, "registries/contoso/docker/registry/v2/blobs")
	if err := os.RemoveAll(blobs); err != nil {
		t.Fatal(err)
	}
	f.do(t, request{path: "/v2/app/blobs/" + d.String()}).want(t, 404, "BLOB_UNKNOWN")
	if a := f.do(t, request{method: "HEAD", path: "/v2/app/blobs/" + d.String()}); a.StatusCode != 404 {
		t.Errorf("HEAD answers %d", a.StatusCode)
	}
	f.pushBlob(t, "app", text)
	f.wantBlob(t, "app", d, text)
}

// What a crash leaves in storage, the next sweep finds.
func TestSweepFindsOrphans(t *testing.T) {
	t.Parallel()
	f := start(t, grace(time.Hour))
	d := f.pushBlob(t, "app", []byte("orphan"))
	young := f.pushBlob(t, "app", []byte("young orphan"))
	f.do(t, request{method: "DELETE", path: "/v2/app/blobs/" + d.String()}).want(t, 202)
	f.do(t, request{method: "DELETE", path: "/v2/app/blobs/" + young.String()}).want(t, 202)
	file := filepath.Join(f.dir, "registries/contoso/docker/registry/v2/blobs/sha256", d.Encoded()[:2], d.Encoded(), "data")
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	if swept, want := f.sweep(t), (oci.Swept{Blobs: 1, Bytes: 6}); swept != want {
		t.Errorf("swept %+v, want %+v", swept, want)
	}
	if left := f.stored(t); left[d] || !left[young] {
		t.Errorf("left are %v", left)
	}
}

// Clients push, mount and delete the same few layers again and again while the
// sweep runs with no grace at all. A push may then be told that a blob is
// missing, and tries again; but no manifest that is there ever lacks a blob.
func TestSweepWhilePushesGoOn(t *testing.T) {
	t.Parallel()
	f := start(t, grace(noGrace))
	kick := make(chan struct{}, 1)
	var sweeping, pushing sync.WaitGroup
	sweeps, freed := 0, 0
	sweeping.Go(func() {
		for range kick {
			swept, err := f.server.Sweep(t.Context(), registryOf("contoso"))
			if err != nil {
				t.Error(err)
			}
			sweeps++
			freed += swept.Blobs
		}
	})
	for worker := range 3 {
		pushing.Go(func() { f.pushAgainAndAgain(t, worker, kick) })
	}
	pushing.Wait()
	close(kick)
	sweeping.Wait()
	t.Logf("%d sweeps, %d blobs freed", sweeps, freed)
	if sweeps == 0 || freed == 0 {
		t.Error("the sweep had nothing to do")
	}
	for worker := range 3 {
		repository := fmt.Sprint("app", worker)
		image, err := remote.Image(parse(t, "contoso.azurecr.test/"+repository+":last"), f.as(t, "owner")...)
		if err != nil {
			t.Fatal(err)
		}
		layers, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, layer := range layers {
			d, _ := layer.Digest()
			f.do(t, request{path: "/v2/" + repository + "/blobs/" + d.String()}).want(t, 200)
		}
	}
}

// pushAgainAndAgain pushes images that share layers with those of the others to
// a repository of the worker's own, and deletes most of them.
func (f *fixture) pushAgainAndAgain(t *testing.T, worker int, kick chan<- struct{}) {
	repository := fmt.Sprint("app", worker)
	random := rand.New(rand.NewPCG(uint64(worker), 1))
	for i := range 10 {
		select {
		case kick <- struct{}{}:
		default:
		}
		tag := fmt.Sprint("v", i)
		if i == 9 {
			tag = "last"
		}
		content, layer := f.sharedImage(t, repository, random.IntN(3))
		for try := 0; ; try++ {
			a := f.put(t, repository, tag, ociManifest, content)
			if a.StatusCode == 201 {
				break
			}
			a.want(t, 400, "MANIFEST_BLOB_UNKNOWN")
			if try == 1000 {
				t.Error("a push never got through")
				return
			}
			f.sharedImage(t, repository, layer)
		}
		if i < 9 && random.IntN(4) > 0 {
			f.do(t, request{method: "DELETE", path: "/v2/" + repository + "/manifests/" + digest.FromBytes(content).String()})
		}
	}
}

// sharedImage uploads what is missing of one of a few images, by mounting where
// that is possible, and returns its manifest.
func (f *fixture) sharedImage(t *testing.T, repository string, n int) ([]byte, int) {
	config, layer := []byte(fmt.Sprintf(`{"n":%d}`, n)), []byte(strings.Repeat(fmt.Sprint("layer ", n), 1000))
	for _, blob := range [][]byte{config, layer} {
		d := digest.FromBytes(blob).String()
		if f.do(t, request{method: "HEAD", path: "/v2/" + repository + "/blobs/" + d}).StatusCode == 200 {
			continue
		}
		a := f.do(t, request{method: "POST", path: "/v2/" + repository + "/blobs/uploads/?mount=" + d + "&from=app0"})
		if a.StatusCode == 201 {
			continue
		}
		f.do(t, request{method: "PUT", path: a.Header.Get("Location") + "&digest=" + d, body: blob}).want(t, 201)
	}
	return marshal(t, object{
		"schemaVersion": 2, "mediaType": ociManifest,
		"config": descriptorOf(ociConfig, config), "layers": []object{descriptorOf(ociLayer, layer)},
	}), n
}

// With a grace time, real clients don't notice the sweep at all.
func TestSweepIsNotNoticed(t *testing.T) {
	t.Parallel()
	f := start(t, grace(time.Minute))
	stop := make(chan struct{})
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				f.server.Sweep(t.Context(), registryOf("contoso")) // the pushes tell
			}
		}
	})
	for i := range 4 {
		image, err := random.Image(10_000, 3)
		if err != nil {
			t.Fatal(err)
		}
		ref := parse(t, fmt.Sprintf("contoso.azurecr.test/app:v%d", i))
		if err := remote.Write(ref, image, f.as(t, "owner")...); err != nil {
			t.Fatal(err)
		}
		if err := remote.Delete(ref, f.as(t, "owner")...); err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, image, f.as(t, "owner")...); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	sweeping.Wait()
}

func TestDrop(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pushImage(t, "app", "v1")
	if err := f.store.DeleteResource(t.Context(), registryID("contoso")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.server.Drop(t.Context(), registryOf("contoso")); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(f.dir, "registries", "contoso")); err == nil {
		t.Errorf("left is a folder with %v", left)
	}
	f.pushBlobTo(t, "fabrikam.azurecr.test", "app", []byte("of another registry"))
}

// slowStore calls a function before the row of a blob is written.
type slowStore struct {
	oci.Store
	before func(drydock.BlobLink)
}

func (s slowStore) PutBlob(ctx context.Context, l drydock.BlobLink) error {
	s.before(l)
	return s.Store.PutBlob(ctx, l)
}

// Between the bytes of a blob and its row there is a moment in which no sweep
// must look.
func TestSweepWaitsForUploadsAndMounts(t *testing.T) {
	t.Parallel()
	text := []byte("in two repositories")
	d := digest.FromBytes(text)
	for name, again := range map[string]func(*fixture){
		"upload": func(f *fixture) { f.pushBlob(t, "two", text) },
		"whole upload": func(f *fixture) {
			f.do(t, request{method: "POST", path: "/v2/two/blobs/uploads/?digest=" + d.String(), body: text}).want(t, 201)
		},
		"mount": func(f *fixture) {
			f.do(t, request{method: "POST", path: "/v2/two/blobs/uploads/?from=one&mount=" + d.String()}).want(t, 201)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f *fixture
			swept := make(chan error, 1)
			f = start(t, grace(noGrace), func(o *oci.Options) {
				o.Store = slowStore{o.Store, func(l drydock.BlobLink) {
					if l.Repository != "two" {
						return
					}
					done := make(chan struct{})
					go func() {
						defer close(done)
						_, err := f.server.Sweep(t.Context(), registryOf("contoso"))
						swept <- err
					}()
					select {
					case <-done:
						t.Error("the sweep did not wait")
					case <-time.After(100 * time.Millisecond):
					}
				}}
			})
			f.pushBlob(t, "one", text)
			again(f)
			if err := <-swept; err != nil {
				t.Error(err)
			}
			held, err := f.store.Holder(t.Context(), registryID("contoso"), d.String())
			if err != nil || held != "" && !f.stored(t)[d] {
				t.Errorf("%q says that it has the blob and storage doesn't, %v", held, err)
			}
		})
	}
}

// One blob is pushed and mounted over and over while a sweep takes it away:
// nothing else than having it and not having it is ever answered.
func TestSweepAgainstOneBlob(t *testing.T) {
	t.Parallel()
	f := start(t, grace(noGrace))
	text := []byte("the blob that everybody wants")
	d := digest.FromBytes(text)
	stop := make(chan struct{})
	var sweeping, pushing sync.WaitGroup
	freed := 0
	sweeping.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			swept, err := f.server.Sweep(t.Context(), registryOf("contoso"))
			if err != nil {
				t.Error(err)
				return
			}
			freed += swept.Blobs
		}
	})
	for worker := range 3 {
		pushing.Go(func() {
			repository := fmt.Sprint("app", worker)
			for range 60 {
				a := f.do(t, request{method: "POST", path: "/v2/" + repository + "/blobs/uploads/?mount=" + d.String() + "&from=app0"})
				if a.StatusCode == 202 {
					f.do(t, request{method: "PUT", path: a.Header.Get("Location") + "&digest=" + d.String(), body: text}).want(t, 201)
				}
				got := f.do(t, request{method: "HEAD", path: "/v2/" + repository + "/blobs/" + d.String()})
				if got.StatusCode != 200 && got.StatusCode != 404 {
					t.Errorf("HEAD answers %d", got.StatusCode)
				}
			}
		})
	}
	pushing.Wait()
	close(stop)
	sweeping.Wait()
	if freed == 0 {
		t.Error("the sweep had nothing to do")
	}
	held, err := f.store.Holder(t.Context(), registryID("contoso"), d.String())
	if err != nil || held != "" && !f.stored(t)[d] {
		t.Errorf("%q says that it has the blob and storage doesn't, %v", held, err)
	}
}
