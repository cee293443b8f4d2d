package walkthrough_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock/test/walkthrough"
)

// tarball serves the files of a folder as one, and returns its URL.
func tarball(t *testing.T, folder string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.tar.gz")
	if out, err := exec.Command("tar", "-C", folder, "--exclude=.git", "-czf", file, ".").CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }))
	t.Cleanup(web.Close)
	return web.URL + "/app.tar.gz"
}

// artifact pushes files of a folder as an artifact, as ORAS does.
func artifact(ctx context.Context, s *walkthrough.Stage, image, folder string, auth authn.Authenticator) error {
	made := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for _, file := range []string{"acr-task.yaml", "Dockerfile", "said"} {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			return err
		}
		made, err = mutate.Append(made, mutate.Addendum{
			Layer:       static.NewLayer(text, "application/octet-stream"),
			Annotations: map[string]string{"org.opencontainers.image.title": file},
		})
		if err != nil {
			return err
		}
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	return remote.Write(ref, made, remote.WithContext(ctx), remote.WithAuth(auth), remote.WithTransport(s.Server.Transport()))
}

// overview plays what the overview of ACR Tasks tells of, as somebody who may use one
// registry only.
func overview(t *testing.T, s *walkthrough.Stage) {
	t.Helper()
	const registry, other = "contoso", "fabrikam"
	url, commit := s.Add("app", "testdata/overview")
	s.Must("group", "create", "-n", "overview", "-l", "chinaeast2")
	id := s.Must("acr", "create", "-g", "overview", "-n", registry, "--sku", "Premium", "--query", "id", "-o", "tsv")
	s.Must("acr", "create", "-g", "overview", "-n", other, "--sku", "Premium")
	client, secret, err := s.Principal(t.Context(), "pipeline", "Contributor", id)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/overview.sh")
	if err != nil {
		t.Fatal(err)
	}
	p := s.Person("overview")
	p.Words = map[string]walkthrough.Word{
		"artifact": func(ctx context.Context) (string, error) {
			image := s.Server.LoginServer(registry) + "/source:1"
			return image + "\n", artifact(ctx, s, image, s.Folder("app"), &authn.Basic{Username: client, Password: secret})
		},
		"commit": func(ctx context.Context) (string, error) {
			if err := s.Commit("app", "said", "this is newer"); err != nil {
				return "", err
			}
			return s.Trigger(ctx, registry, "commit", "Commit")
		},
		"pull": func(ctx context.Context) (string, error) {
			if err := s.Pull("app", "said", "this is proposed"); err != nil {
				return "", err
			}
			return s.Trigger(ctx, registry, "pull", "Pull Request")
		},
		"image": func(ctx context.Context) (string, error) { return s.Trigger(ctx, registry, "image", "Image Update") },
		"timer": func(ctx context.Context) (string, error) { return s.Trigger(ctx, registry, "timer", "Timer") },
	}
	played, err := s.Play(t.Context(), walkthrough.Script{Path: script, Commands: 35, Env: []string{
		"REGISTRY=" + registry, "OTHER=" + other, "CI_ID=" + client, "CI_SECRET=" + secret, "TENANT=" + s.Server.Tenant, "NO_PROXY=127.0.0.1",
		"FOLDER=" + s.Folder("app"), "GIT_URL=" + url + "#main", "GIT=" + s.Owner("app"), "COMMIT=" + commit, "TARBALL=" + tarball(t, s.Folder("app")),
	}}, p)
	if err != nil {
		t.Fatal(err, "\n", played.Output)
	}
	// The two clients say in other words that they see no such registry.
	hidden := regexp.MustCompile(`(?i)no registry "?` + other + `|name '` + other + `' and type '[^']+' could not be found`)
	if strings.Contains(played.Output, "NOT REFUSED") || !hidden.MatchString(played.Output) ||
		!strings.Contains(played.Output, "'Microsoft.Resources/subscriptions/resourceGroups/write'") {
		t.Errorf("it may do more than use one registry:\n%s", played.Output)
	}
	for text, n := range map[string]int{"this is the whole": 6, "this is a part": 2, "this is newer": 1, "this is proposed": 1} {
		if got := strings.Count(played.Output, text); got < n {
			t.Errorf("%d times %q, not %d:\n%s", got, text, n, played.Output)
		}
	}
	have := s.Images(registry)
	for _, tag := range []string{"base:1", "app:folder", "app:git", "app:branch", "app:part", "app:commit", "app:tarball", "app:artifact"} {
		if have[tag] == "" {
			t.Errorf("%s was not pushed: %v", tag, have)
		}
	}
	if have["app:part"] != have["app:commit"] || have["app:git"] == have["app:part"] {
		t.Errorf("the same sources make other images, or other ones the same: %v", have)
	}
	for place, text := range map[string]string{"what was printed": played.Output, "the server's log": s.Server.Log()} {
		for name, value := range map[string]string{"the service principal": secret, "the git host": s.Token(), "the hub": s.HubPassword()} {
			if strings.Contains(text, value) {
				t.Errorf("the secret of %s is in %s", name, place)
			}
		}
	}
}

// The overview of ACR Tasks, by drydock under the name az.
func TestOverviewWithDrydock(t *testing.T) {
	t.Parallel()
	overview(t, walkthrough.Set(t, options(t, "")))
}
