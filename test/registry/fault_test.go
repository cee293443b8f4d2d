package registry_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/registry"
)

func TestFaultStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []int{
		http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			r := registry.Start(t, registry.Options{})
			push(t, r, "app:v1", newImage(t))
			remove := r.Inject(registry.Fault{
				Match: registry.On(http.MethodGet, registry.KindManifest), Status: status,
				Header: http.Header{"Retry-After": {"7"}},
			})
			_, err := remote.Get(ref(t, r, "app:v1"), once())
			wantStatus(t, err, status)
			remove()
			if _, err := remote.Get(ref(t, r, "app:v1"), once()); err != nil {
				t.Errorf("after the fault is removed: %v", err)
			}
		})
	}
}

func TestFaultTimes(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	r.Inject(registry.Fault{
		Match: registry.On(http.MethodPut, registry.KindManifest), Times: 2, Status: http.StatusInternalServerError,
	})
	img := newImage(t)
	for range 2 {
		wantStatus(t, remote.Write(ref(t, r, "app:v1"), img, once()), http.StatusInternalServerError)
	}
	push(t, r, "app:v1", img, once())
	if c := r.Count(); c.ManifestPuts != 3 || c.Uploads != 3 {
		t.Errorf("three pushes count %+v", c)
	}
}

func TestFaultDuringUpload(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	r.Inject(registry.Fault{Match: registry.On(http.MethodPatch, registry.KindUpload), Status: http.StatusTooManyRequests})
	wantStatus(t, remote.Write(ref(t, r, "app:v1"), newImage(t), once()), http.StatusTooManyRequests)
	if c := r.Count(); c.Uploads != 0 || c.UploadedBytes != 0 || c.UploadStarts == 0 {
		t.Errorf("an upload that failed counts %+v", c)
	}
}

func TestFaultDrop(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	r.Inject(registry.Fault{Times: 1, Drop: true})
	client := &http.Transport{DisableKeepAlives: true}
	get := func() (*http.Response, error) { return (&http.Client{Transport: client}).Get(r.URL + "/v2/") }
	if response, err := get(); err == nil {
		response.Body.Close()
		t.Errorf("a dropped request is answered with %d", response.StatusCode)
	}
	response, err := get()
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestFaultDelay(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	const delay = 50 * time.Millisecond
	r.Inject(registry.Fault{Times: 1, Delay: delay})
	start := time.Now()
	response, err := http.Get(r.URL + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if took := time.Since(start); response.StatusCode != http.StatusOK || took < delay {
		t.Errorf("answered %d after %s", response.StatusCode, took)
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{})
	r.Inject(registry.Fault{Hang: true})
	asked := make(chan error, 1)
	go func() {
		response, err := http.Get(r.URL + "/v2/")
		if err == nil {
			response.Body.Close()
		}
		asked <- err
	}()
	if err := r.Wait(t.Context(), func(all []registry.Request) bool { return len(all) == 1 }); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-asked; err == nil {
		t.Error("a request that hung was answered")
	}
}
