package oci_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
)

// Writes are told to the witness; parts of images are not, which are nothing
// without a manifest. What a repository is called makes no difference.
func TestWitness(t *testing.T) {
	t.Parallel()
	f := start(t)
	var mu sync.Mutex
	var told []string
	inner := f.Server.Config.Handler
	f.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.WithContext(drydock.WithWitness(r.Context(), func(_ context.Context, a drydock.Act) error {
			mu.Lock()
			defer mu.Unlock()
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				told = append(told, r.Method+" "+a.Target[strings.Index(a.Target, "/v2/"):])
			}
			return nil
		})))
	})
	f.pushImage(t, "app", "v1")
	f.pushImage(t, "app/blobs/uploads/x", "v1")
	mu.Lock()
	defer mu.Unlock()
	want := []string{"PUT /v2/app/manifests/v1", "PUT /v2/app/blobs/uploads/x/manifests/v1"}
	if !slices.Equal(told, want) {
		t.Errorf("the witness was told of %q, want %q", told, want)
	}
}
