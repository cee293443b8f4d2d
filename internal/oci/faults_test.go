package oci_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
)

// faultyDriver is the filesystem driver with faults. Distribution's table of
// drivers belongs to the process; the faults are a parameter.
type faultyDriver struct {
	storagedriver.StorageDriver
	faults *faults
}

type faults struct{ writes atomic.Pointer[error] }

// Create implements factory.StorageDriverFactory.
func (faultyFactory) Create(ctx context.Context, parameters map[string]any) (storagedriver.StorageDriver, error) {
	d, err := factory.Create(ctx, "filesystem", parameters)
	return &faultyDriver{d, parameters["faults"].(*faults)}, err
}

type faultyFactory struct{}

var registerFaulty = sync.OnceFunc(func() { factory.Register("faulty", faultyFactory{}) })

func (d *faultyDriver) Writer(ctx context.Context, path string, more bool) (storagedriver.FileWriter, error) {
	if err := d.faults.writes.Load(); err != nil {
		return nil, fmt.Errorf("open /srv/secret%s: %w", path, *err)
	}
	return d.StorageDriver.Writer(ctx, path, more)
}

func TestFaultsOfStorage(t *testing.T) {
	t.Parallel()
	registerFaulty()
	wrong := &faults{}
	f := start(t, func(o *oci.Options) {
		o.Storage.Driver, o.Storage.Parameters = "faulty", map[string]any{"faults": wrong}
	})
	location := f.begin(t, "app")
	text := []byte("some text")
	d := digest.FromBytes(text).String()
	for _, fault := range []struct {
		err    error
		status int
		code   string
	}{
		{syscall.ENOSPC, 503, "UNAVAILABLE"},
		{syscall.EIO, 500, "UNKNOWN"},
	} {
		wrong.writes.Store(&fault.err)
		for _, q := range []request{
			{method: "POST", path: "/v2/app/blobs/uploads/"},
			{method: "PATCH", path: location, body: text},
			{method: "POST", path: "/v2/app/blobs/uploads/?digest=" + d, body: text},
		} {
			if a := f.do(t, q).want(t, fault.status, fault.code); strings.Contains(string(a.body), "/srv/secret") {
				t.Errorf("the answer tells of the disk: %s", a.body)
			}
		}
		wrong.writes.Store(nil)
	}
	f.do(t, request{method: "PUT", path: location + "&digest=" + d, body: text}).want(t, 201)
	f.wantBlob(t, "app", digest.Digest(d), text)
}

func TestBadStorage(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *oci.Options) { o.Storage.Driver = "no such driver" })
	f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/"}).want(t, 500, "UNKNOWN")
	f.do(t, request{path: "/v2/_catalog"}).want(t, 200)
}

// A database that is gone answers 5xx, and nothing is half done.
func TestFaultsOfTheStore(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pushImage(t, "app", "v1")
	image := f.do(t, request{path: "/v2/app/manifests/v1"}).want(t, 200).body
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	f.put(t, "app", "v2", ociManifest, image).want(t, 500, "UNKNOWN")
	f.do(t, request{path: "/v2/app/manifests/v1"}).want(t, 500, "UNKNOWN")
	f.do(t, request{path: "/v2/app/blobs/" + digest.FromString("layer of app:v1").String()}).want(t, 500, "UNKNOWN")
	if _, err := f.server.Sweep(ctx, registryOf("contoso")); err == nil {
		t.Error("a sweep without a store succeeds")
	}
	if len(f.stored(t)) != 2 {
		t.Error("blobs are gone")
	}
}

// failingStore refuses the rows of blobs.
type failingStore struct {
	oci.Store
	failing *atomic.Bool
}

func (s failingStore) PutBlob(ctx context.Context, l drydock.BlobLink) error {
	if s.failing.Load() {
		return drydock.Errorf(drydock.Unavailable, "the disk with the database is full")
	}
	return s.Store.PutBlob(ctx, l)
}

// Bytes without a row are not there; who pushes them again is served.
func TestStoreFailsAtTheEndOfAnUpload(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	f := start(t, func(o *oci.Options) { o.Store = failingStore{o.Store, &failing} })
	text := []byte("some text")
	d := digest.FromBytes(text)
	source := f.pushBlob(t, "source", []byte("to be mounted"))
	failing.Store(true)
	f.do(t, request{method: "PUT", path: f.begin(t, "app") + "&digest=" + d.String(), body: text}).want(t, 503, "UNAVAILABLE")
	f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/?digest=" + d.String(), body: text}).want(t, 503, "UNAVAILABLE")
	f.do(t, request{method: "POST", path: "/v2/app/blobs/uploads/?from=source&mount=" + source.String()}).want(t, 202)
	for _, d := range []digest.Digest{d, source} {
		f.do(t, request{path: "/v2/app/blobs/" + d.String()}).want(t, 404, "BLOB_UNKNOWN")
	}
	failing.Store(false)
	f.pushBlob(t, "app", text)
	f.wantBlob(t, "app", d, text)
}
