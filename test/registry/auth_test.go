package registry_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/registry"
)

// modes are the two ways to ask for credentials.
func modes(t *testing.T, test func(t *testing.T, o registry.Options)) {
	t.Helper()
	for name, tokens := range map[string]bool{"basic": false, "tokens": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, registry.Options{Users: map[string]string{"ann": "s3cret", "bob": "hunter2"}, Tokens: tokens})
		})
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, o registry.Options) {
		r := registry.Start(t, o)
		img := newImage(t)
		wantStatus(t, remote.Write(ref(t, r, "app:v1"), img), http.StatusUnauthorized)
		wantStatus(t, remote.Write(ref(t, r, "app:v1"), img, basic("ann", "wrong")), http.StatusUnauthorized)
		wantStatus(t, remote.Write(ref(t, r, "app:v1"), img, basic("eve", "")), http.StatusUnauthorized)
		if c := r.Count(); c.UploadStarts != 0 || c.ManifestPuts != 0 || c.Unauthorized == 0 {
			t.Errorf("refused pushes count %+v", c)
		}
		push(t, r, "app:v1", img, basic("ann", "s3cret"))
		if _, err := remote.Get(ref(t, r, "app:v1"), basic("bob", "hunter2")); err != nil {
			t.Errorf("pulling as another user: %v", err)
		}
		_, err := remote.Get(ref(t, r, "app:v1"))
		wantStatus(t, err, http.StatusUnauthorized)
		if got, err := r.Digest("app:v1"); err != nil || got != digestOf(t, img) {
			t.Errorf("looking at the content needs no credentials, got %q, %v", got, err)
		}
	})
}

func TestAnonymousPull(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, o registry.Options) {
		o.AnonymousPull = true
		r := registry.Start(t, o)
		img := newImage(t)
		push(t, r, "app:v1", img, basic("ann", "s3cret"))
		response, err := http.Get(r.URL + "/v2/")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("a ping without credentials is answered with %d, which hides that there are any", response.StatusCode)
		}
		if o.Tokens {
			if _, err := remote.Get(ref(t, r, "app:v1")); err != nil {
				t.Errorf("pulling without credentials: %v", err)
			}
		} else if status := getStatus(t, r.URL+"/v2/app/manifests/v1", nil); status != http.StatusOK {
			t.Errorf("pulling without credentials is answered with %d", status)
		}
		wantStatus(t, remote.Write(ref(t, r, "app:v2"), img), http.StatusUnauthorized)
	})
}

func TestAllow(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, o registry.Options) {
		o.Allow = func(user, repository, action string) bool {
			return user == "ann" || action == "pull" && strings.HasPrefix(repository, "public/")
		}
		r := registry.Start(t, o)
		refused := map[bool]int{false: http.StatusForbidden, true: http.StatusUnauthorized}[o.Tokens]
		img := newImage(t)
		push(t, r, "public/app:v1", img, basic("ann", "s3cret"))
		push(t, r, "private/app:v1", img, basic("ann", "s3cret"))
		if _, err := remote.Get(ref(t, r, "public/app:v1"), basic("bob", "hunter2")); err != nil {
			t.Errorf("pulling what is allowed: %v", err)
		}
		_, err := remote.Get(ref(t, r, "private/app:v1"), basic("bob", "hunter2"))
		wantStatus(t, err, refused)
		err = remote.Write(ref(t, r, "public/app:v2"), newImage(t), basic("bob", "hunter2"))
		wantStatus(t, err, refused)
	})
}

func TestMountNeedsPullOfTheSource(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{
		Users: map[string]string{"ann": "s3cret", "bob": "hunter2"},
		Allow: func(user, repository, _ string) bool { return user == "ann" || repository == "bob/app" },
	})
	img := newImage(t)
	push(t, r, "ann/app:v1", img, basic("ann", "s3cret"))
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	mount := "/v2/%s/blobs/uploads/?from=ann/app&mount=" + digestOf(t, layers[0])
	for _, c := range []struct {
		repository, user, password string
		want                       int
	}{
		{"bob/app", "bob", "hunter2", http.StatusAccepted},
		{"ann/copy", "ann", "s3cret", http.StatusCreated},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			r.URL+strings.Replace(mount, "%s", c.repository, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(c.user, c.password)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s mounting a layer of ann/app is answered with %d, want %d", c.user, response.StatusCode, c.want)
		}
	}
	if got := r.Count().Mounts; got != 1 {
		t.Errorf("counted %d mounts, want 1", got)
	}
}

func TestTokenGrants(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{Users: map[string]string{"ann": "s3cret"}, Tokens: true})
	push(t, r, "app:v1", newImage(t), basic("ann", "s3cret"))
	const scope = "repository:app:pull"
	for name, form := range map[string]url.Values{
		"password": {"grant_type": {"password"}, "username": {"ann"}, "password": {"s3cret"}, "scope": {scope}},
		"refresh":  {"grant_type": {"refresh_token"}, "refresh_token": {"s3cret"}, "scope": {scope}},
	} {
		token := postToken(t, r, form, http.StatusOK)
		header := http.Header{"Authorization": {"Bearer " + token}}
		if status := getStatus(t, r.URL+"/v2/app/manifests/v1", header); status != http.StatusOK {
			t.Errorf("%s: a token to pull pulls with status %d", name, status)
		}
		if status := getStatus(t, r.URL+"/v2/other/tags/list", header); status != http.StatusUnauthorized {
			t.Errorf("%s: a token for another repository gets status %d", name, status)
		}
	}
	postToken(t, r, url.Values{"grant_type": {"password"}, "username": {"ann"}, "password": {"no"}}, http.StatusUnauthorized)
	postToken(t, r, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"no"}}, http.StatusUnauthorized)
}

func TestExpireTokens(t *testing.T) {
	t.Parallel()
	r := registry.Start(t, registry.Options{Users: map[string]string{"ann": "s3cret"}, Tokens: true})
	token := postToken(t, r, url.Values{"grant_type": {"password"}, "username": {"ann"}, "password": {"s3cret"}}, http.StatusOK)
	header := http.Header{"Authorization": {"Bearer " + token}}
	if status := getStatus(t, r.URL+"/v2/", header); status != http.StatusOK {
		t.Fatalf("a ping with a token gets status %d", status)
	}
	r.ExpireTokens()
	if status := getStatus(t, r.URL+"/v2/", header); status != http.StatusUnauthorized {
		t.Errorf("a ping with an expired token gets status %d", status)
	}
}

func postToken(t *testing.T, r *registry.Registry, form url.Values, want int) string {
	t.Helper()
	response, err := http.PostForm(r.URL+"/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != want {
		t.Fatalf("asking for a token is answered with %d, want %d", response.StatusCode, want)
	}
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return body.AccessToken
}

func getStatus(t *testing.T, address string, header http.Header) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	if header == nil {
		request.Header = http.Header{}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
