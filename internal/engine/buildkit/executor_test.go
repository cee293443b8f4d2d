package buildkit_test

import (
	"context"
	"net/http"
	"os"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"

	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// newExecutor opens an executor on a folder of its own.
func newExecutor(t *testing.T, config buildkit.Config) *buildkit.Executor {
	t.Helper()
	if config.Root == "" {
		// t.TempDir would name the folder by the test, which overlay mounts of
		// many layers have no room for.
		dir, err := os.MkdirTemp("", "drydock-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.RemoveAll(dir); err != nil {
				t.Errorf("removing the data folder: %v", err)
			}
		})
		config.Root = dir
	}
	e, err := buildkit.New(t.Context(), config)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// newRegistry starts a registry that holds the named images.
func newRegistry(t *testing.T, options registry.Options, names ...string) *registry.Registry {
	t.Helper()
	r := registry.Start(t, options)
	if err := images.Push(t.Context(), r.Host, names...); err != nil {
		t.Fatalf("pushing base images: %v", err)
	}
	return r
}

func TestSuite(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(t *testing.T) enginetest.Fixture {
		r := newRegistry(t, registry.Options{}, "busybox")
		return enginetest.Fixture{
			Executor: newExecutor(t, buildkit.Config{}),
			Busybox:  r.Host + "/busybox",
			Registry: r.Host,
			Digest: func(_ context.Context, image string) (string, error) {
				return crane.Digest(image, crane.Insecure, crane.WithTransport(http.DefaultTransport))
			},
		}
	})
}
