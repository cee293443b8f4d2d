package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/upstream"
	"github.com/drydockhq/drydock/test/registry"
)

var pusher = &authn.Basic{Username: "pusher", Password: "p"}

// push puts an image that is like no other under a tag, and returns its digest.
func push(t *testing.T, r *registry.Registry, ref string) string {
	t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, r, ref, img)
}

func put(t *testing.T, r *registry.Registry, ref string, img v1.Image) string {
	t.Helper()
	n, err := name.ParseReference(r.Host + "/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(n, img, remote.WithAuth(pusher)); err != nil {
		t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func query(t *testing.T, r *registry.Registry, ref string, users ...string) upstream.Query {
	t.Helper()
	q := upstream.Query{Image: image(t, r.Host+"/"+ref)}
	for _, user := range users {
		q.Credentials = append(q.Credentials, credential(r.Host, user))
	}
	return q
}

func credential(host, user string) upstream.Credential {
	return upstream.Credential{
		Credential: drydock.Credential{Registry: host, Username: user, Password: user[:1]}, Owner: "the owner of " + user,
	}
}

// asked counts the requests of a kind.
func asked(r *registry.Registry, method string, kind registry.Kind) int {
	n := 0
	for _, req := range r.Requests() {
		if req.Method == method && req.Kind == kind {
			n++
		}
	}
	return n
}

func resolver() *upstream.Registries {
	return &upstream.Registries{Now: time.Now, Timeout: 10 * time.Second}
}

func resolve(t *testing.T, r *upstream.Registries, q upstream.Query) upstream.Answer {
	t.Helper()
	a, err := r.Resolve(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDigestsAreAskedForWithHEAD(t *testing.T) {
	t.Parallel()
	reg := registry.Start(t, registry.Options{})
	want := push(t, reg, "a/b:1")
	gets := asked(reg, http.MethodGet, registry.KindManifest)
	r := resolver()
	if got := resolve(t, r, query(t, reg, "a/b:1")); !reflect.DeepEqual(got, upstream.Answer{Digest: want}) {
		t.Errorf("%+v, want %s", got, want)
	}
	if got := resolve(t, r, query(t, reg, "a/b:gone")); !reflect.DeepEqual(got, upstream.Answer{}) {
		t.Errorf("of a tag that is not there: %+v", got)
	}
	if got := resolve(t, r, query(t, reg, "never/was:1")); !reflect.DeepEqual(got, upstream.Answer{}) {
		t.Errorf("of a repository that is not there: %+v", got)
	}
	if n := asked(reg, http.MethodGet, registry.KindManifest) - gets; n != 0 {
		t.Errorf("%d manifests were read", n)
	}
}

// Where HEAD is not served, or says nothing, GET is; the second time only if the
// manifest has changed.
func TestGETWhereHEADIsNotServed(t *testing.T) {
	t.Parallel()
	for what, head := range map[string]http.HandlerFunc{
		"405":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) },
		"no digest": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var conditional []string
			reg := registry.Start(t, registry.Options{Middleware: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if registry.On(http.MethodHead, registry.KindManifest)(r) && strings.HasPrefix(r.UserAgent(), "drydock") {
						head(w, r)
						return
					}
					if v := r.Header.Get("If-None-Match"); v != "" {
						conditional = append(conditional, v)
					}
					next.ServeHTTP(w, r)
				})
			}})
			want := push(t, reg, "a/b:1")
			q := query(t, reg, "a/b:1")
			first := resolve(t, resolver(), q)
			if first.Digest != want || first.Validator == "" {
				t.Fatalf("%+v, want %s", first, want)
			}
			q.Digest, q.Validator = first.Digest, first.Validator
			if again := resolve(t, resolver(), q); !reflect.DeepEqual(again, first) || len(conditional) != 1 {
				t.Errorf("%+v, asked with %q", again, conditional)
			}
			want = push(t, reg, "a/b:1")
			if changed := resolve(t, resolver(), q); changed.Digest != want {
				t.Errorf("%+v, want %s", changed, want)
			}
		})
	}
}

func TestDigestOfTheBytes(t *testing.T) {
	t.Parallel()
	reg := registry.Start(t, registry.Options{Middleware: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(withoutDigest{w}, r)
		})
	}})
	want := push(t, reg, "a/b:1")
	if got := resolve(t, resolver(), query(t, reg, "a/b:1")); got.Digest != want {
		t.Errorf("%+v, want %s", got, want)
	}
}

// withoutDigest takes the digest out of answers.
type withoutDigest struct{ http.ResponseWriter }

func (w withoutDigest) WriteHeader(status int) {
	w.Header().Del("Docker-Content-Digest")
	w.ResponseWriter.WriteHeader(status)
}

func TestCredentialsAreTriedInOrder(t *testing.T) {
	t.Parallel()
	for _, tokens := range []bool{false, true} {
		t.Run(fmt.Sprint("tokens ", tokens), func(t *testing.T) {
			t.Parallel()
			reg := registry.Start(t, registry.Options{
				Users: map[string]string{"pusher": "p", "reader": "r", "other": "o"}, Tokens: tokens,
				Allow: func(user, _, _ string) bool { return user != "other" },
			})
			want := push(t, reg, "a/b:1")
			r := resolver()
			q := query(t, reg, "a/b:1", "wrong", "other", "reader")
			q.Credentials = append(q.Credentials, credential("elsewhere.example", "leak"))
			got := resolve(t, r, q)
			if got.Digest != want || !slices.Equal(got.Refused, []string{"the owner of wrong", "the owner of other"}) {
				t.Errorf("%+v, want %s", got, want)
			}
			before := len(reg.Requests())
			if got := resolve(t, r, q); got.Digest != want {
				t.Errorf("the second time: %+v", got)
			}
			if n := len(reg.Requests()) - before; n > 3 {
				t.Errorf("%d requests where it is known who may read", n)
			}
			for _, req := range reg.Requests() {
				if strings.Contains(fmt.Sprint(req), "leak") {
					t.Errorf("a credential for somebody else: %+v", req)
				}
			}
		})
	}
}

// A credential that is refused is not tried over and over, another one at once.
func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	reg := registry.Start(t, registry.Options{Users: map[string]string{"pusher": "p", "reader": "r"}, Tokens: true})
	want := push(t, reg, "a/b:1")
	now := time.Now()
	r := &upstream.Registries{Now: func() time.Time { return now }}
	wrong := query(t, reg, "a/b:1", "wrong")
	signIns := func() int { return asked(reg, http.MethodGet, registry.KindToken) }
	for range 3 {
		_, err := r.Resolve(t.Context(), wrong)
		var refused *upstream.RefusedError
		if drydock.CodeOf(err) != drydock.Denied || !errors.As(err, &refused) || !slices.Equal(refused.Refused, []string{"the owner of wrong"}) {
			t.Fatal(err)
		}
		if strings.Contains(err.Error(), "owner") { // others see it too
			t.Error(err)
		}
	}
	asWrong := func() int {
		n := 0
		for _, req := range reg.Requests() {
			if req.Kind == registry.KindToken && req.User == "wrong" {
				n++
			}
		}
		return n
	}
	if n := asWrong(); n != 1 {
		t.Errorf("tried %d times in a moment", n)
	}
	now = now.Add(2 * time.Hour)
	if _, err := r.Resolve(t.Context(), wrong); drydock.CodeOf(err) != drydock.Denied {
		t.Fatal(err)
	}
	if n := asWrong(); n != 2 {
		t.Errorf("tried %d times in two hours", n)
	}
	before := signIns()
	if got := resolve(t, r, query(t, reg, "a/b:1", "reader")); got.Digest != want {
		t.Errorf("%+v", got)
	}
	if signIns() == before {
		t.Error("nobody signed in")
	}
}

func TestWhatARegistryAnswersInstead(t *testing.T) {
	t.Parallel()
	now := time.Unix(1772600000, 0)
	epoch := fmt.Sprint(now.Add(30 * time.Minute).Unix())
	for what, c := range map[string]struct {
		status int
		kind   registry.Kind
		header http.Header
		code   drydock.Code
		wait   time.Duration // -1 for a WaitError without a time
	}{
		"429":                     {status: 429, code: drydock.Unavailable, wait: -1},
		"429 in seconds":          {status: 429, header: http.Header{"Retry-After": {"600"}}, code: drydock.Unavailable, wait: 10 * time.Minute},
		"429 with a date":         {status: 429, header: http.Header{"Retry-After": {now.Add(time.Hour).UTC().Format(http.TimeFormat)}}, code: drydock.Unavailable, wait: time.Hour},
		"429 with a reset":        {status: 429, header: http.Header{"X-Ratelimit-Reset": {epoch}}, code: drydock.Unavailable, wait: 30 * time.Minute},
		"429 when signing in":     {status: 429, kind: registry.KindPing, header: http.Header{"Retry-After": {"600"}}, code: drydock.Unavailable, wait: 10 * time.Minute},
		"503 with a time":         {status: 503, header: http.Header{"Retry-After": {"60"}}, code: drydock.Unavailable, wait: time.Minute},
		"500":                     {status: 500, code: drydock.Unavailable},
		"502 when signing in":     {status: 502, kind: registry.KindPing, code: drydock.Unavailable},
		"403":                     {status: 403, code: drydock.Denied},
		"401":                     {status: 401, code: drydock.Denied},
		"418":                     {status: 418, code: drydock.Failed},
		"404 that is no registry": {status: 404, kind: registry.KindPing, code: drydock.Failed},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			reg := registry.Start(t, registry.Options{})
			push(t, reg, "a/b:1")
			if c.kind == "" {
				c.kind = registry.KindManifest
			}
			reg.Inject(registry.Fault{Match: registry.On("", c.kind), Status: c.status, Header: c.header})
			r := resolver()
			r.Now = func() time.Time { return now }
			_, err := r.Resolve(t.Context(), query(t, reg, "a/b:1"))
			if drydock.CodeOf(err) != c.code || !strings.Contains(err.Error(), reg.Host) {
				t.Errorf("code %q: %v", drydock.CodeOf(err), err)
			}
			var wait *upstream.WaitError
			if errors.As(err, &wait) != (c.wait != 0) {
				t.Fatalf("%T: %v", err, err)
			}
			if wait != nil && wait.After != max(c.wait, 0) {
				t.Errorf("after %s, want %s", wait.After, c.wait)
			}
		})
	}
}

func TestExhaustedQuota(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"left":           {http.Header{"Ratelimit-Limit": {"100;w=21600"}, "Ratelimit-Remaining": {"76;w=21600"}}, 0},
		"none left":      {http.Header{"Ratelimit-Limit": {"100;w=21600"}, "Ratelimit-Remaining": {"0;w=21600"}}, 36 * time.Minute},
		"with a reset":   {http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"120"}}, 2 * time.Minute},
		"of the API":     {http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"77"}}, 77 * time.Second},
		"without window": {http.Header{"Ratelimit-Remaining": {"0"}}, time.Minute},
		"nonsense":       {http.Header{"Ratelimit-Remaining": {"some;w=x"}}, 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			reg := registry.Start(t, registry.Options{Middleware: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for key, values := range c.header {
						w.Header()[key] = values
					}
					next.ServeHTTP(w, r)
				})
			}})
			digest := push(t, reg, "a/b:1")
			if got := resolve(t, resolver(), query(t, reg, "a/b:1")); got.Digest != digest || got.Pause != c.want {
				t.Errorf("%+v, want a pause of %s", got, c.want)
			}
		})
	}
}

func TestRegistryThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	reg := registry.Start(t, registry.Options{})
	push(t, reg, "a/b:1")
	remove := reg.Inject(registry.Fault{Hang: true})
	r := resolver()
	r.Timeout = 50 * time.Millisecond
	_, err := r.Resolve(t.Context(), query(t, reg, "a/b:1"))
	if drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), "has not answered within 50ms") {
		t.Error(err)
	}
	remove()
	reg.Inject(registry.Fault{Drop: true})
	if _, err := resolver().Resolve(t.Context(), query(t, reg, "a/b:1")); drydock.CodeOf(err) != drydock.Unavailable {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := resolver().Resolve(ctx, query(t, reg, "a/b:1")); err == nil {
		t.Error("an answer after the end")
	}
}

// Mirrors are asked as runs ask them; the registry has the last word.
func TestMirrors(t *testing.T) {
	t.Parallel()
	mirror, origin := registry.Start(t, registry.Options{}), registry.Start(t, registry.Options{})
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	mirrored := put(t, mirror, "hub/a/b:1", img)
	own := push(t, origin, "a/b:1")
	only := push(t, origin, "a/b:2")
	u, err := url.Parse("http://" + mirror.Host + "/hub")
	if err != nil {
		t.Fatal(err)
	}
	r := resolver()
	r.Mirrors = map[string][]*url.URL{origin.Host: {u}}
	if got := resolve(t, r, query(t, origin, "a/b:1")); got.Digest != mirrored {
		t.Errorf("%+v, want the mirror's %s", got, mirrored)
	}
	if got := resolve(t, r, query(t, origin, "a/b:2")); got.Digest != only {
		t.Errorf("%+v, want the registry's %s", got, only)
	}
	mirror.Inject(registry.Fault{Status: http.StatusInternalServerError})
	if got := resolve(t, r, query(t, origin, "a/b:1")); got.Digest != own {
		t.Errorf("with a mirror that is down: %+v, want %s", got, own)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	reg := registry.Start(t, registry.Options{TLS: true})
	_, err := resolver().Resolve(t.Context(), query(t, reg, "a/b:1"))
	if drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	r := resolver()
	asked := 0
	r.Transport = func(host string) http.RoundTripper {
		if asked++; host != reg.Host {
			t.Errorf("the transport for %s", host)
		}
		return trusting(t, reg.CA)
	}
	for range 2 {
		if got := resolve(t, r, query(t, reg, "a/b:1")); got.Digest != "" {
			t.Errorf("%+v", got)
		}
	}
	if asked != 1 {
		t.Errorf("%d transports for one host", asked)
	}
}
