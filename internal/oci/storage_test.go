package oci_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory" // a driver without files
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
)

func TestNewStorage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings map[string]string
		want     oci.Storage
	}{
		"nothing": {nil, oci.Storage{Driver: "filesystem", Parameters: map[string]any{}, Root: "/data"}},
		"another folder": {
			map[string]string{"rootdirectory": "/mnt/blobs", "maxthreads": "50"},
			oci.Storage{Driver: "filesystem", Parameters: map[string]any{"maxthreads": 50}, Root: "/mnt/blobs"},
		},
		"s3": {
			map[string]string{"driver": "s3", "bucket": "b", "region": "eu-west-1", "secure": "true", "rootdirectory": "/drydock"},
			oci.Storage{Driver: "s3", Parameters: map[string]any{"bucket": "b", "region": "eu-west-1", "secure": "true"}, Root: "/drydock"},
		},
		"azure": {
			map[string]string{"driver": "azure", "container": "c", "credentials.type": "client_secret", "credentials.secret": "s", "max_retries": "3"},
			oci.Storage{Driver: "azure", Parameters: map[string]any{
				"container": "c", "max_retries": 3, "credentials": map[string]any{"type": "client_secret", "secret": "s"},
			}, Root: "/"},
		},
	} {
		got, err := oci.NewStorage(c.settings, "/data")
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	if _, err := oci.NewStorage(map[string]string{"driver": "gcs"}, "/"); drydock.CodeOf(err) != drydock.Invalid {
		t.Errorf("an unknown driver: %v", err)
	}
}

func TestCheckStorage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var asked string
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path + " " + r.URL.Query().Get("prefix")
		w.Header().Set("Content-Type", "application/xml")
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=right/") {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
			return
		}
		fmt.Fprint(w, `<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>`)
	}))
	t.Cleanup(bucket.Close)
	s3 := func(key string) map[string]string {
		return map[string]string{
			"driver": "s3", "bucket": "images", "region": "us-east-1", "regionendpoint": bucket.URL, "forcepathstyle": "true", "secure": "false",
			"accesskey": key, "secretkey": "hush-secret", "rootdirectory": "/drydock",
		}
	}
	for name, c := range map[string]struct {
		settings map[string]string
		want     drydock.Code
	}{
		"a folder":        {map[string]string{"rootdirectory": filepath.Join(dir, "new")}, ""},
		"a file":          {map[string]string{"rootdirectory": file}, drydock.Unavailable},
		"s3":              {s3("right"), ""},
		"s3, wrong key":   {s3("wrong"), drydock.Unavailable},
		"s3 of nowhere":   {map[string]string{"driver": "s3", "region": "us-east-1"}, drydock.Invalid},
		"azure, no names": {map[string]string{"driver": "azure"}, drydock.Invalid},
	} {
		s, err := oci.NewStorage(c.settings, dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); drydock.CodeOf(err) != c.want || err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !strings.HasPrefix(asked, "/images drydock") {
		t.Errorf("the bucket was asked for %q", asked)
	}
}

// Registries stand on any driver, and use no more of it than all have.
func TestAnotherDriver(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *oci.Options) { o.Storage = oci.Storage{Driver: "inmemory", Root: "/"} })
	f.pushImage(t, "app", "v1")
	f.do(t, request{path: "/v2/app/manifests/v1"}).want(t, 200)
	text := []byte("in pieces")
	location := f.begin(t, "app")
	f.do(t, request{method: "PATCH", path: location, body: text}).want(t, 202)
	f.wantBlob(t, "app", digest.FromString("layer of app:v1"), []byte("layer of app:v1"))
	if _, err := f.server.Sweep(t.Context(), registryOf("contoso")); err != nil {
		t.Error(err)
	}
	if err := f.server.Drop(t.Context(), registryOf("contoso")); err != nil {
		t.Error(err)
	}
}
