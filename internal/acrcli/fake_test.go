package acrcli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/acrcli"
)

// now is the time at which the tests are.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fakeManifest is a manifest of the registry.
type fakeManifest struct {
	mediaType string
	age       time.Duration
	content   string
	tags      []string
	locked    bool
}

// fake is a registry with one repository, app, that wants a password. It lists two
// entries at a time.
type fake struct {
	host string
	http *http.Client

	mu        sync.Mutex
	tags      map[string]fakeTag
	manifests map[string]fakeManifest
	deleted   []string       // in the order of their names
	refuse    map[string]int // status for what is deleted or listed, by its path
	busy      int            // how many requests are answered with 429 first
	most      int            // deletions at a time
	deleting  int
}

type fakeTag struct {
	age    time.Duration
	digest string
	locked bool
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{tags: map[string]fakeTag{}, manifests: map[string]fakeManifest{}, refuse: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /acr/v1/_catalog", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("last") == "" {
			w.Header().Set("Link", `</acr/v1/_catalog?last=app&n=1>; rel="next"`)
			fmt.Fprint(w, `{"repositories":["app"]}`)
			return
		}
		fmt.Fprint(w, `{"repositories":["other"]}`)
	})
	mux.HandleFunc("GET /acr/v1/app/_tags", f.listTags)
	mux.HandleFunc("GET /acr/v1/app/_manifests", f.listManifests)
	mux.HandleFunc("GET /v2/app/manifests/{digest}", func(w http.ResponseWriter, r *http.Request) {
		m, ok := f.manifests[r.PathValue("digest")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, m.content)
	})
	mux.HandleFunc("DELETE /acr/v1/app/_tags/{name}", func(w http.ResponseWriter, r *http.Request) { f.remove(w, r, r.PathValue("name")) })
	mux.HandleFunc("DELETE /v2/app/manifests/{name}", func(w http.ResponseWriter, r *http.Request) { f.remove(w, r, r.PathValue("name")) })
	mux.HandleFunc("PATCH /acr/v1/app/", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewTLSServer(f.guard(mux))
	t.Cleanup(server.Close)
	f.host, f.http = strings.TrimPrefix(server.URL, "https://"), server.Client()
	return f
}

func (f *fake) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		busy, status := f.busy > 0, f.refuse[r.URL.Path]
		if busy {
			f.busy--
		}
		f.mu.Unlock()
		switch user, password, ok := r.BasicAuth(); {
		case busy:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case !ok:
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
		case user != "me" || password != "hush":
			w.WriteHeader(http.StatusUnauthorized)
		case status != 0:
			w.WriteHeader(status)
			fmt.Fprint(w, `{"errors":[{"code":"REFUSED","message":"not this one"}]}`)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// page answers with two of the entries, and where the next ones are.
func page(w http.ResponseWriter, r *http.Request, key string, entries []map[string]any, id string) {
	from := 0
	if last := r.URL.Query().Get("last"); last != "" {
		from = 1 + slices.IndexFunc(entries, func(e map[string]any) bool { return e[id] == last })
	}
	part := entries[from:min(from+2, len(entries))]
	if from+2 < len(entries) {
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%v>; rel="next"`, r.URL.Path, part[1][id]))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{key: part})
}

func (f *fake) listTags(w http.ResponseWriter, r *http.Request) {
	var entries []map[string]any
	for name, t := range f.tags {
		entries = append(entries, map[string]any{
			"name": name, "digest": t.digest, "lastUpdateTime": now.Add(-t.age).Format("2006-01-02T15:04:05.0000000Z"),
			"changeableAttributes": map[string]any{"deleteEnabled": !t.locked, "writeEnabled": true},
		})
	}
	slices.SortFunc(entries, func(a, b map[string]any) int {
		return strings.Compare(b["lastUpdateTime"].(string), a["lastUpdateTime"].(string))
	})
	page(w, r, "tags", entries, "name")
}

func (f *fake) listManifests(w http.ResponseWriter, r *http.Request) {
	var entries []map[string]any
	for digest, m := range f.manifests {
		entries = append(entries, map[string]any{
			"digest": digest, "mediaType": m.mediaType, "lastUpdateTime": now.Add(-m.age).Format(time.RFC3339), "tags": m.tags,
			"changeableAttributes": map[string]any{"deleteEnabled": true, "writeEnabled": !m.locked},
		})
	}
	slices.SortFunc(entries, func(a, b map[string]any) int { return strings.Compare(a["digest"].(string), b["digest"].(string)) })
	page(w, r, "manifests", entries, "digest")
}

func (f *fake) remove(w http.ResponseWriter, _ *http.Request, name string) {
	f.mu.Lock()
	f.deleting++
	f.most = max(f.most, f.deleting)
	f.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deleting--
	f.deleted = append(f.deleted, name)
	slices.Sort(f.deleted)
	w.WriteHeader(http.StatusAccepted)
}

// run runs acr with the user of the registry.
func (f *fake) run(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	var text bytes.Buffer
	status = acrcli.Run(t.Context(), acrcli.Surroundings{
		Version: "test", Stdin: strings.NewReader(""), Stdout: &text, Stderr: &text,
		Environ: []string{"ACR_DEFAULT_REGISTRY=" + f.host}, Now: func() time.Time { return now }, HTTP: f.http,
	}, append(args, "-u", "me", "-p", "hush"))
	return strings.ReplaceAll(text.String(), f.host, "HOST"), status
}

func (f *fake) wantDeleted(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(f.deleted, want) {
		t.Errorf("deleted: %v, want %v", f.deleted, want)
	}
}
