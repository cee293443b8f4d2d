package oci_test

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// post sends a form.
func (f *fixture) post(t testing.TB, path string, form url.Values) answer {
	t.Helper()
	return f.do(t, request{
		method: http.MethodPost, path: path, user: "-", body: []byte(form.Encode()),
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	})
}

// token returns an access token for scopes.
func (f *fixture) token(t testing.TB, user string, scopes ...string) string {
	t.Helper()
	query := url.Values{"service": {"contoso.azurecr.test"}, "scope": scopes}
	var body struct {
		Access  string `json:"access_token"`
		Token   string `json:"token"`
		Expires int    `json:"expires_in"`
	}
	a := f.do(t, request{path: "/oauth2/token?" + query.Encode(), user: user}).want(t, 200)
	a.decode(t, &body)
	if body.Access == "" || body.Access != body.Token || body.Expires != 3600 || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the token endpoint answers %s", a.body)
	}
	return body.Access
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	f := start(t)
	const base = `Bearer realm="https://contoso.azurecr.test/oauth2/token",service="contoso.azurecr.test"`
	d := "sha256:" + strings.Repeat("0", 64)
	for _, test := range []struct{ method, path, scope string }{
		{"GET", "/v2/", ""},
		{"GET", "/v2", ""},
		{"GET", "/v2/_catalog", "registry:catalog:*"},
		{"GET", "/v2/a/b/tags/list", "repository:a/b:metadata_read"},
		{"GET", "/v2/a/b/manifests/v1", "repository:a/b:pull"},
		{"HEAD", "/v2/a/b/manifests/v1", "repository:a/b:pull"},
		{"PUT", "/v2/a/b/manifests/v1", "repository:a/b:pull,push"},
		{"DELETE", "/v2/a/b/manifests/v1", "repository:a/b:delete"},
		{"GET", "/v2/a/b/blobs/" + d, "repository:a/b:pull"},
		{"DELETE", "/v2/a/b/blobs/" + d, "repository:a/b:delete"},
		{"POST", "/v2/a/b/blobs/uploads/", "repository:a/b:pull,push"},
		{"POST", "/v2/a/b/blobs/uploads", "repository:a/b:pull,push"},
		{"PATCH", "/v2/a/b/blobs/uploads/1", "repository:a/b:pull,push"},
		{"DELETE", "/v2/a/b/blobs/uploads/1", "repository:a/b:pull,push"},
		{"GET", "/v2/a/b/referrers/" + d, "repository:a/b:pull"},
		{"GET", "/acr/v1/_catalog", "registry:catalog:*"},
		{"GET", "/acr/v1/a/b", "repository:a/b:metadata_read"},
		{"GET", "/acr/v1/a%2Fb", "repository:a/b:metadata_read"},
		{"PATCH", "/acr/v1/a/b", "repository:a/b:metadata_write"},
		{"DELETE", "/acr/v1/a/b", "repository:a/b:delete"},
		{"GET", "/acr/v1/a/b/_tags", "repository:a/b:metadata_read"},
		{"GET", "/acr/v1/a/b/_tags/v1", "repository:a/b:metadata_read"},
		{"DELETE", "/acr/v1/a/b/_tags/v1", "repository:a/b:delete"},
		{"GET", "/acr/v1/a/b/_manifests", "repository:a/b:metadata_read"},
		{"PATCH", "/acr/v1/a/b/_manifests/" + d, "repository:a/b:metadata_write"},
	} {
		want := base
		if test.scope != "" {
			want += `,scope="` + test.scope + `"`
		}
		a := f.do(t, request{method: test.method, path: test.path, user: "-"})
		if test.method != "HEAD" {
			a.want(t, 401, "UNAUTHORIZED")
		}
		if got := a.Header.Get("WWW-Authenticate"); got != want || a.StatusCode != 401 {
			t.Errorf("%s %s: %d, challenge\n%s, want\n%s", test.method, test.path, a.StatusCode, got, want)
		}
		if a.Header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
			t.Errorf("%s %s: headers %v", test.method, test.path, a.Header)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pushImage(t, "team/app", "v1")
	for _, test := range []struct {
		user, scope, method, path string
		status                    int
	}{
		{"puller", "repository:team/app:pull", "GET", "/v2/team/app/manifests/v1", 200},
		{"puller", "repository:team/app:pull,push", "GET", "/v2/team/app/manifests/v1", 200},
		{"puller", "repository:team/app:pull,push", "POST", "/v2/team/app/blobs/uploads/", 401},
		{"puller", "repository:team/app:delete", "DELETE", "/v2/team/app/manifests/v1", 401},
		{"puller", "repository:team/app:pull", "GET", "/acr/v1/team/app", 401},
		{"puller", "repository:team/app:pull", "GET", "/v2/team/app/tags/list", 200},
		{"puller", "repository:team/app:metadata_read", "GET", "/v2/team/app/tags/list", 200},
		{"puller", "repository:team/other:pull", "GET", "/v2/team/app/tags/list", 401},
		{"puller", "repository:team/app:metadata_read", "GET", "/acr/v1/team/app", 200},
		{"puller", "repository:team/app:metadata_read", "GET", "/v2/team/app/manifests/v1", 401},
		{"puller", "repository:team/app:metadata_write", "PATCH", "/acr/v1/team/app", 401},
		{"puller", "registry:catalog:*", "GET", "/v2/_catalog", 401},
		{"puller", "", "GET", "/v2/", 200},
		{"pusher", "repository:team/app:pull,push", "POST", "/v2/team/app/blobs/uploads/", 202},
		{"pusher", "repository:team/app:*", "POST", "/v2/team/app/blobs/uploads/", 202},
		{"pusher", "repository:team/other:pull,push", "POST", "/v2/team/other/blobs/uploads/", 401},
		{"pusher", "repository:team/app:pull,push", "POST", "/v2/team/other/blobs/uploads/", 401},
		{"owner", "repository:team/app:pull,push", "POST", "/v2/team/app2/blobs/uploads/", 401},
		{"owner", "registry:catalog:*", "GET", "/v2/_catalog", 200},
		{"owner", "registry:catalog:*", "GET", "/acr/v1/_catalog", 200},
		{"nobody", "repository:team/app:pull", "GET", "/v2/team/app/manifests/v1", 401},
		{"nobody", "repository:team/app:pull", "GET", "/v2/", 200},
	} {
		token := f.token(t, test.user, strings.Fields(test.scope)...)
		a := f.do(t, request{method: test.method, path: test.path, token: token})
		if a.StatusCode != test.status {
			t.Errorf("%s with %s: %s %s is %d, want %d; %s", test.user, test.scope, test.method, test.path, a.StatusCode, test.status, a.body)
		}
		if a.StatusCode == 401 && !strings.Contains(a.Header.Get("WWW-Authenticate"), `,error="insufficient_scope"`) {
			t.Errorf("%s with %s: challenge %s", test.user, test.scope, a.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestBasicCredentials(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pushImage(t, "team/app", "v1")
	f.do(t, request{path: "/v2/", user: "puller"}).want(t, 200)
	f.do(t, request{path: "/v2/team/app/manifests/v1", user: "puller"}).want(t, 200)
	f.do(t, request{method: "POST", path: "/v2/team/app/blobs/uploads/", user: "puller"}).want(t, 403, "DENIED")
	f.do(t, request{path: "/acr/v1/team/app/_tags", user: "puller"}).want(t, 200)
	f.do(t, request{method: "DELETE", path: "/acr/v1/team/app/_tags/v1", user: "puller"}).want(t, 401, "DENIED")
	f.do(t, request{path: "/v2/", user: "stranger"}).want(t, 401, "UNAUTHORIZED")
	f.do(t, request{path: "/v2/", user: "-", header: map[string]string{"Authorization": "Basic %%%"}}).want(t, 401, "UNAUTHORIZED")
	f.do(t, request{path: "/v2/", user: "-", header: map[string]string{"Authorization": "Digest x"}}).want(t, 401, "UNAUTHORIZED")
	f.do(t, request{path: "/oauth2/token?scope=repository:team/app:pull", user: "-"}).want(t, 401, "UNAUTHORIZED")
	f.do(t, request{path: "/oauth2/token?scope=repository:team/app:pull", user: "stranger"}).want(t, 401, "UNAUTHORIZED")
}

func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	f := start(t)
	var exchanged struct {
		Refresh string `json:"refresh_token"`
	}
	f.post(t, "/oauth2/exchange", url.Values{
		"grant_type": {"access_token"}, "service": {"contoso.azurecr.test"}, "tenant": {"t"}, "access_token": {"arm-token-of-pusher"},
	}).want(t, 200).decode(t, &exchanged)
	var granted struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	form := url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {exchanged.Refresh}, "service": {"contoso.azurecr.test"},
		"scope": {"repository:team/app:pull,push"},
	}
	f.post(t, "/oauth2/token", form).want(t, 200).decode(t, &granted)
	f.do(t, request{method: "POST", path: "/v2/team/app/blobs/uploads/", token: granted.Access}).want(t, 202)
	if granted.Refresh != "" {
		t.Error("a refresh token was given to who didn't ask for one")
	}
	f.post(t, "/oauth2/token", url.Values{
		"grant_type": {"password"}, "username": {"pusher"}, "password": {"u"}, "access_type": {"offline"},
	}).want(t, 200).decode(t, &granted)
	if granted.Refresh == "" {
		t.Error("no refresh token for access_type=offline")
	}
	f.users.passwords["00000000-0000-0000-0000-000000000000"] = granted.Refresh
	f.do(t, request{path: "/v2/", user: "00000000-0000-0000-0000-000000000000"}).want(t, 200)
	f.do(t, request{path: "/oauth2/token?offline_token=true", user: "00000000-0000-0000-0000-000000000000"}).
		want(t, 200).decode(t, &granted)

	t.Run("refused", func(t *testing.T) {
		refused := func(path string, form url.Values, status int, code string) {
			t.Helper()
			f.post(t, path, form).want(t, status, code)
		}
		refused("/oauth2/exchange", url.Values{"grant_type": {"access_token"}, "access_token": {"x"}}, 401, "UNAUTHORIZED")
		refused("/oauth2/exchange", url.Values{"grant_type": {"access_token"}}, 400, "UNSUPPORTED")
		refused("/oauth2/exchange", url.Values{"grant_type": {"password"}}, 400, "UNSUPPORTED")
		refused("/oauth2/token", url.Values{"grant_type": {"refresh_token"}}, 401, "UNAUTHORIZED")
		refused("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {granted.Access}}, 401, "UNAUTHORIZED")
		refused("/oauth2/token", url.Values{"grant_type": {"password"}, "username": {"pusher"}, "password": {"x"}}, 401, "UNAUTHORIZED")
		refused("/oauth2/token", url.Values{"grant_type": {"magic"}}, 400, "UNSUPPORTED")
		refused("/oauth2/token?grant_type=refresh_token&refresh_token="+exchanged.Refresh, url.Values{}, 400, "UNSUPPORTED")
		many := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {exchanged.Refresh}, "scope": {strings.Repeat("repository:a:pull ", 101)}}
		refused("/oauth2/token", many, 400, "UNSUPPORTED")
		refused("/oauth2/token", url.Values{"grant_type": {strings.Repeat("x", 70_000)}}, 400, "UNSUPPORTED")
		f.do(t, request{path: "/oauth2/exchange"}).want(t, 405, "UNSUPPORTED")
		f.do(t, request{method: "DELETE", path: "/oauth2/token"}).want(t, 405, "UNSUPPORTED")
	})
}

func TestTokensOfOtherRegistriesAndExpiredOnes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pushImage(t, "app", "v1")
	token := f.token(t, "owner", "repository:app:pull")
	f.do(t, request{path: "/v2/app/manifests/v1", token: token}).want(t, 200)
	a := f.do(t, request{host: "fabrikam.azurecr.test", path: "/v2/app/manifests/v1", token: token}).want(t, 401, "UNAUTHORIZED")
	if !strings.Contains(a.Header.Get("WWW-Authenticate"), `,error="invalid_token"`) {
		t.Errorf("challenge %s", a.Header.Get("WWW-Authenticate"))
	}
	f.users.expire()
	f.do(t, request{path: "/v2/app/manifests/v1", token: token}).want(t, 401, "UNAUTHORIZED")
	f.do(t, request{path: "/v2/app/manifests/v1", token: "garbage"}).want(t, 401, "UNAUTHORIZED")
}

func TestMountNeedsTheSource(t *testing.T) {
	t.Parallel()
	f := start(t)
	secret := f.pushBlob(t, "secret", []byte("a secret"))
	f.pushImage(t, "team/app", "v1")
	mount := "/v2/team/app/blobs/uploads/?mount=" + secret.String() + "&from=secret"
	blob := "/v2/team/app/blobs/" + secret.String()
	token := f.token(t, "pusher", "repository:team/app:pull,push repository:secret:pull")

	f.do(t, request{method: "POST", path: mount, user: "pusher"}).want(t, 202)
	f.do(t, request{method: "POST", path: mount, token: token}).want(t, 202)
	f.do(t, request{path: blob}).want(t, 404, "BLOB_UNKNOWN")

	t.Run("parameters in the body are not believed", func(t *testing.T) {
		a := f.do(t, request{
			method: "POST", path: "/v2/team/app/blobs/uploads/", user: "pusher",
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
			body:   []byte(url.Values{"mount": {secret.String()}, "from": {"secret"}}.Encode()),
		})
		a.want(t, 202)
		f.do(t, request{path: blob}).want(t, 404, "BLOB_UNKNOWN")
	})
	t.Run("a token that lacks it is challenged for both", func(t *testing.T) {
		a := f.do(t, request{method: "POST", path: mount, token: f.token(t, "owner", "repository:team/app:pull,push")}).want(t, 401, "UNAUTHORIZED")
		if want := `,scope="repository:team/app:pull,push repository:secret:pull"`; !strings.Contains(a.Header.Get("WWW-Authenticate"), want) {
			t.Errorf("challenge %s", a.Header.Get("WWW-Authenticate"))
		}
		both := f.token(t, "owner", "repository:team/app:pull,push repository:secret:pull")
		f.do(t, request{method: "POST", path: mount, token: both}).want(t, 201)
		if got := f.do(t, request{path: blob}).want(t, 200); !bytes.Equal(got.body, []byte("a secret")) {
			t.Errorf("mounted %q", got.body)
		}
	})
}

func TestStrangeScopes(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, scope := range []string{
		"", ":", "::", "repository", "repository:app", "repository:../app:pull", "repository:App:pull", "plugin:app:pull",
		"registry:other:*", "repository:app:", "repository:app:fly", strings.Repeat("repository:", 100),
	} {
		token := f.token(t, "owner", scope)
		f.users.mu.Lock()
		granted := f.users.tokens[token].granted
		f.users.mu.Unlock()
		if len(granted) > 0 {
			t.Errorf("scope %q grants %v", scope, granted)
		}
	}
	token := f.token(t, "owner", "repository:app:push,pull,push")
	f.users.mu.Lock()
	defer f.users.mu.Unlock()
	if d := cmp.Diff([]string{"pull", "push"}, slices.Sorted(slices.Values(f.users.tokens[token].granted[0].Actions))); d != "" {
		t.Errorf("actions (-want +got):\n%s", d)
	}
}
