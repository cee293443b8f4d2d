package oci_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

// badNames are names that no repository has.
var badNames = []string{
	"App", "app/", "/app", "app//b", "app/../b", "../app", "..", ".", "a..b", "app_", "-app", "app/-b", "app b", "app\x00b",
	"äpp", "a___b", "app\\b", "app%2f..", "_catalog2", "app/_tags2", strings.Repeat("a", 256), strings.Repeat("a/", 127) + "aa",
}

func TestRepositoryNames(t *testing.T) {
	t.Parallel()
	for _, name := range badNames {
		if err := drydock.CheckRepositoryName(name); drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"a", "0", "app", "team/app", "a.b", "a_b", "a__b", "a-b", "a---b", "a/b/c/d", "manifests", "blobs/uploads", "tags/list",
		strings.Repeat("a", 255),
	} {
		if err := drydock.CheckRepositoryName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, ok := range map[string]bool{
		"contoso": true, "Contoso1": true, "12345": true, strings.Repeat("a", 50): true,
		"four": false, "": false, strings.Repeat("a", 51): false, "con-toso": false, "con.toso": false, "con/toso": false, "../..": false,
	} {
		if err := drydock.CheckRegistryName(name); (err == nil) != ok {
			t.Errorf("registry %q: %v", name, err)
		}
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range badNames {
		for _, q := range []struct{ method, path string }{
			{"POST", "/v2/NAME/blobs/uploads/"},
			{"GET", "/v2/NAME/manifests/v1"},
			{"PUT", "/v2/NAME/manifests/v1"},
			{"GET", "/v2/NAME/tags/list"},
			{"GET", "/acr/v1/NAME/_tags"},
			{"DELETE", "/acr/v1/NAME/_tags/v1"},
			{"PATCH", "/acr/v1/NAME/_manifests/v1"},
		} {
			path := strings.Replace(q.path, "NAME", url.PathEscape(name), 1)
			f.do(t, request{method: q.method, path: path}).want(t, 400, "NAME_INVALID")
		}
	}
}

// Names that look like parts of the API's own paths.
func TestConfusingNames(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range []string{"manifests", "blobs/uploads", "tags/list", "a/manifests/b", "referrers", "v2/a/blobs", "acr/v1"} {
		d := f.pushImage(t, name, "v1").String()
		f.do(t, request{path: "/v2/" + name + "/manifests/v1"}).want(t, 200)
		f.do(t, request{path: "/v2/" + name + "/tags/list"}).want(t, 200)
		f.do(t, request{path: "/v2/" + name + "/referrers/" + d}).want(t, 200)
		f.do(t, request{path: "/acr/v1/" + url.PathEscape(name)}).want(t, 200)
		f.do(t, request{path: "/acr/v1/" + name + "/_tags/v1"}).want(t, 200)
		f.do(t, request{path: "/acr/v1/" + name + "/_manifests/" + d}).want(t, 200)
	}
}

func TestNothingIsWrittenOutsideTheFolder(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pushImage(t, "app", "v1")
	for _, path := range []string{
		"/v2/app/blobs/uploads/..", "/v2/app/blobs/uploads/../../x", "/v2/../../blobs/uploads/", "/v2/app/blobs/sha256:..%2f..%2fx",
		"/v2/app/manifests/..%2f..%2fx", "/v2/app/blobs/uploads/%2e%2e", "/v2/app/blobs/uploads/..%2f..%2fx", "//v2//app//x", "/..",
	} {
		for _, method := range []string{"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"} {
			r, err := http.NewRequestWithContext(t.Context(), method, "https://contoso.azurecr.test/", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Opaque = "//contoso.azurecr.test" + path // unchanged by the client
			r.SetBasicAuth("owner", "o")
			response, err := f.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode < 400 && method != "HEAD" || response.StatusCode >= 500 {
				t.Errorf("%s %s: status %d", method, path, response.StatusCode)
			}
		}
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "registries" && !strings.HasPrefix(e.Name(), "drydock.db") {
			t.Errorf("there is %s", e.Name())
		}
	}
	in, err := filepath.Glob(filepath.Join(f.dir, "registries", "*", "*"))
	if err != nil || len(in) != 1 || filepath.Base(in[0]) != "docker" {
		t.Errorf("the registries' folder has %v, %v", in, err)
	}
}
