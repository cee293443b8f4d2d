package cli_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// registries answer as the data plane of ACR does for the repository "hello",
// and note what they are asked to change.
type registries struct {
	mu      sync.Mutex
	changes []string
}

const helloDigest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"

var registryAnswers = map[string]any{
	"/acr/v1/_catalog": map[string]any{"repositories": []string{"hello"}},
	"/acr/v1/hello":    map[string]any{"imageName": "hello", "tagCount": 2},
	"/acr/v1/hello/_tags": map[string]any{"tags": []any{
		map[string]any{"name": "v1", "digest": helloDigest}, map[string]any{"name": "v2", "digest": helloDigest},
	}},
	"/acr/v1/hello/_tags/v1": map[string]any{"tag": map[string]any{"name": "v1", "digest": helloDigest}},
	"/acr/v1/hello/_manifests": map[string]any{"manifests": []any{
		map[string]any{"digest": helloDigest, "tags": []string{"v1", "v2"}, "lastUpdateTime": "2026-11-21T08:00:00Z"},
	}},
	"/acr/v1/hello/_manifests/" + helloDigest: map[string]any{"manifest": map[string]any{"digest": helloDigest, "tags": []string{"v1", "v2"}}},
	"/v2/hello/manifests/" + helloDigest:      map[string]any{"schemaVersion": 2},
	"/v2/hello/manifests/v1":                  map[string]any{"schemaVersion": 2},
	"/v2/hello/referrers/" + helloDigest: map[string]any{"manifests": []any{
		map[string]any{"digest": "sha256:5", "artifactType": "application/sbom", "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 512},
		map[string]any{"digest": "sha256:6", "artifactType": "application/signature", "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 64},
	}},
}

// ServeHTTP implements http.Handler.
func (g *registries) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/oauth2/exchange":
		if r.FormValue("access_token") == "" || r.FormValue("service") != r.Host {
			g.fail(w, http.StatusUnauthorized, "authentication required")
			return
		}
		write(w, map[string]any{"refresh_token": "refresh"})
		return
	case "/oauth2/token":
		if r.FormValue("refresh_token") != "refresh" && r.FormValue("password") != "pw" {
			g.fail(w, http.StatusUnauthorized, "authentication required")
			return
		}
		write(w, map[string]any{"access_token": "for " + r.FormValue("scope")})
		return
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer for ")
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://`+r.Host+`/oauth2/token",service="`+r.Host+`"`)
		g.fail(w, http.StatusUnauthorized, "authentication required")
		return
	}
	if r.Method != http.MethodGet {
		body, _ := io.ReadAll(r.Body)
		g.mu.Lock()
		g.changes = append(g.changes, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)+" ["+token+"]"))
		g.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		return
	}
	answer, ok := registryAnswers[r.URL.Path]
	if !ok {
		g.fail(w, http.StatusNotFound, "repository name not known to registry")
		return
	}
	write(w, answer)
}

func (g *registries) fail(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	write(w, map[string]any{"errors": []any{map[string]any{"code": "NAME_UNKNOWN", "message": message}}})
}

func write(w io.Writer, v any) { json.NewEncoder(w).Encode(v) }

// taken returns what was changed since the last time.
func (g *registries) taken() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := strings.Join(g.changes, "\n")
	g.changes = nil
	return all
}
