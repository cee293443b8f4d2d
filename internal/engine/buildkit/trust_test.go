package buildkit_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// newPrivateRegistry starts a registry with base images that only user u with
// the password p may read.
func newPrivateRegistry(t *testing.T, options registry.Options, names ...string) *registry.Registry {
	t.Helper()
	options.Users = map[string]string{"u": "p"}
	reg := registry.Start(t, options)
	store, err := images.Default()
	if err != nil {
		t.Fatal(err)
	}
	auth := remote.WithAuth(&authn.Basic{Username: "u", Password: "p"})
	if err := store.Push(t.Context(), reg.Host, names, auth); err != nil {
		t.Fatalf("pushing base images: %v", err)
	}
	return reg
}

// heads counts the requests that asked what a reference stands for.
func heads(reg *registry.Registry, reference string) int {
	n := 0
	for _, r := range reg.Requests() {
		if r.Method == http.MethodHead && r.Kind == registry.KindManifest && r.Status == http.StatusOK && strings.HasSuffix(r.Path, "/"+reference) {
			n++
		}
	}
	return n
}

func TestCacheGivesNoAccess(t *testing.T) {
	t.Parallel()
	open := newRegistry(t, registry.Options{}, "busybox")
	for name, options := range map[string]registry.Options{"basic": {}, "tokens": {Tokens: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg := newPrivateRegistry(t, options, "busybox=private:1")
			frontend := pushFrontend(t, open, name+"/frontend:1", nil)
			digest, err := reg.Digest("private:1")
			if err != nil {
				t.Fatal(err)
			}
			byTag, byDigest := reg.Host+"/private:1", reg.Host+"/private@"+digest
			e := newExecutor(t, buildkit.Config{})
			files := `
-- tag/Dockerfile --
FROM ` + byTag + `
RUN echo > /x
-- digest/Dockerfile --
FROM ` + byDigest + `
RUN echo > /x
-- copy/Dockerfile --
FROM ` + open.Host + `/busybox
COPY --from=` + byTag + ` /bin /bin2
-- mount/Dockerfile --
FROM ` + open.Host + `/busybox
RUN --mount=type=bind,from=` + byDigest + `,target=/m ls /m
-- raw/Dockerfile --
# syntax=` + frontend + `
-- frontend/Dockerfile --
# syntax=` + byTag + `
-- cached/Dockerfile --
FROM ` + open.Host + `/busybox
RUN echo cached
`
			contexts := [][]string{
				{"tag"},
				{"digest"},
				{"copy"},
				{"mount"},
				{"--build-arg", "RAW=" + byTag, "raw"},
				{"--build-arg", "RAW=" + byDigest, "raw"},
				{"--build-context", "x=docker-image://" + byTag, "-f", "copy/Dockerfile", "copy"},
			}
			trusted := openRun(t, e, files, withLogin(reg, "u", "p"))
			for _, args := range contexts {
				trusted.build(args...)
			}
			trusted.run(byTag, "true")
			trusted.run(byDigest, "true")

			// Nobody is let in by what the trusted run has left, nor while it runs.
			for _, other := range []*testRun{
				openRun(t, e, files),
				openRun(t, e, files, withLogin(reg, "u", "wrong")),
			} {
				var wait sync.WaitGroup
				stop := make(chan struct{})
				again := openRun(t, e, files, withLogin(reg, "u", "p"))
				wait.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							_, _ = again.try(context.WithoutCancel(t.Context()), nil, "digest")
						}
					}
				})
				for _, args := range contexts {
					wantError(t, other.buildError(args...), drydock.Denied, "private", "credentials for "+reg.Host)
				}
				wantError(t, other.buildError("frontend"), drydock.Denied, "private")
				wantContains(t, "the error", other.buildError("tag").Error(), "Dockerfile:1")
				for _, image := range []string{byTag, byDigest} {
					if _, err := other.tryRun(image, "true"); err == nil {
						t.Errorf("%s ran", image)
					}
					if _, _, err := other.tryDocker(nil, "pull", image); err == nil {
						t.Errorf("%s was pulled", image)
					}
				}
				close(stop)
				wait.Wait()
			}
		})
	}
}

func TestEachRunAsksTheRegistry(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox=base:1")
	digest, err := reg.Digest("base:1")
	if err != nil {
		t.Fatal(err)
	}
	e := newExecutor(t, buildkit.Config{})
	for n := 1; n <= 3; n++ {
		r := openRun(t, e, `
-- Dockerfile --
FROM `+reg.Host+`/base:1
-- digest/Dockerfile --
FROM `+reg.Host+`/base@`+digest+`
`)
		for range 2 { // once a run is enough
			r.build(".")
			r.build("digest")
			r.run(reg.Host+"/base:1", "true")
		}
		if got := heads(reg, "1"); got != n {
			t.Errorf("after run %d the tag was asked for %d times", n, got)
		}
		if got := heads(reg, digest); got < n {
			t.Errorf("after run %d the digest was asked for %d times", n, got)
		}
		r.close()
	}
}

func TestTagIsPinnedForARun(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox=base:1")
	old, err := reg.Digest("base:1")
	if err != nil {
		t.Fatal(err)
	}
	e := newExecutor(t, buildkit.Config{})
	files := `
-- Dockerfile --
FROM ` + reg.Host + `/base:1
COPY Dockerfile /
`
	r := openRun(t, e, files)
	r.build("-t", "before", ".")
	if err := images.Push(t.Context(), reg.Host, "bash=base:1"); err != nil {
		t.Fatal(err)
	}
	moved, err := reg.Digest("base:1")
	if err != nil || moved == old {
		t.Fatalf("the tag did not move: %v", err)
	}
	r.build("-t", "after", ".")
	r.build("--pull", "-t", "pulled", ".")
	r.docker("pull", reg.Host+"/base:1")
	if err := r.Run(t.Context(), engine.Container{
		Name: "fresh", Image: reg.Host + "/base:1", Pull: true, Args: []string{"true"},
		Network: drydock.DefaultNetwork, Stdout: &output{}, Stderr: &output{},
	}); err != nil {
		t.Fatal(err)
	}
	for i, deps := range r.Dependencies() {
		if deps.Runtime.Digest != old {
			t.Errorf("build %d had %s, want %s", i, deps.Runtime.Digest, old)
		}
	}
	r.docker("tag", reg.Host+"/base:1", reg.Host+"/promoted")
	wantEqual(t, "what is promoted", r.push(reg.Host+"/promoted"), old)
	next := openRun(t, e, files)
	next.build(".")
	wantEqual(t, "the next run's base", next.Dependencies()[0].Runtime.Digest, moved)
}
