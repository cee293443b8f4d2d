package images_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/test/images"
)

// TestMain lets the test binary be the other process of
// TestProcessesBuildTogether: with $DRYDOCK_TEST_GET it prints the digest of
// that image.
func TestMain(m *testing.M) {
	name := os.Getenv("DRYDOCK_TEST_GET")
	if name == "" {
		os.Exit(m.Run())
	}
	img, err := images.Get(context.Background(), name)
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	digest, err := img.Digest()
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString(digest.String())
}

// shared returns the store that this user's tests share.
func shared(t *testing.T) *images.Store {
	t.Helper()
	store, err := images.Default()
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func get(t *testing.T, store *images.Store, name string) v1.Image {
	t.Helper()
	img, err := store.Get(t.Context(), name)
	if err != nil {
		t.Fatalf("making %s: %v", name, err)
	}
	return img
}

func digest(t *testing.T, o interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := o.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestImagesAreValid(t *testing.T) {
	t.Parallel()
	for _, name := range images.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == images.Multi {
				index, err := shared(t).Index(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				if err := validate.Index(index); err != nil {
					t.Error(err)
				}
				return
			}
			if err := validate.Image(get(t, shared(t), name)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Node is left out: a second build downloads it again.
func TestBuildsAreReproducible(t *testing.T) {
	t.Parallel()
	for _, name := range []string{images.Busybox, images.Bash, images.Curl, images.Web, images.HelloWorld} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fresh := get(t, &images.Store{Dir: t.TempDir()}, name)
			if got, want := digest(t, fresh), digest(t, get(t, shared(t), name)); got != want {
				t.Errorf("built again, the digest is %s, not %s", got, want)
			}
		})
	}
}

func TestBuiltOnce(t *testing.T) {
	t.Parallel()
	store := &images.Store{Dir: t.TempDir()}
	dir, err := store.Layout(t.Context(), images.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.Layout(t.Context(), images.Busybox)
	if err != nil || again != dir {
		t.Fatalf("the second time the layout is %s, %v; want %s", again, err, dir)
	}
	after, err := os.Stat(dir)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the second time the layout was made anew, %v", err)
	}
}

func TestLeftoversOfAKilledBuild(t *testing.T) {
	t.Parallel()
	store := &images.Store{Dir: t.TempDir()}
	for _, file := range []string{"busybox.work/layout/index.json", "busybox.work/layer-1.tar.gz", "busybox.lock"} {
		path := filepath.Join(store.Dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := validate.Image(get(t, store, images.Busybox)); err != nil {
		t.Error(err)
	}
	wantNoWork(t, store)
}

func TestOldLayoutsAreDeleted(t *testing.T) {
	t.Parallel()
	store := &images.Store{Dir: t.TempDir()}
	old, recent := filepath.Join(store.Dir, "busybox-1"), filepath.Join(store.Dir, "busybox-2")
	other := filepath.Join(store.Dir, "bash-1")
	for dir, days := range map[string]int{old: 31, recent: 29, other: 31} {
		made := time.Now().AddDate(0, 0, -days)
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Chtimes(dir, made, made)); err != nil {
			t.Fatal(err)
		}
	}
	get(t, store, images.Busybox)
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an old layout of the image is still there: %v", err)
	}
	for _, dir := range []string{recent, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("deleted too much: %v", err)
		}
	}
}

func wantNoWork(t *testing.T, store *images.Store) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(store.Dir, "*.work")); err != nil || len(left) > 0 {
		t.Errorf("work folders are left: %q, %v", left, err)
	}
}

func TestProcessesBuildTogether(t *testing.T) {
	t.Parallel()
	store := &images.Store{Dir: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	digests := make([]string, 4)
	for i := range digests {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), self)
			cmd.Env = append(os.Environ(), "DRYDOCK_IMAGES="+store.Dir, "DRYDOCK_TEST_GET="+images.Bash)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			digests[i] = string(out)
		})
	}
	want := digest(t, get(t, store, images.Bash))
	wg.Wait()
	for _, got := range digests {
		if got != want {
			t.Errorf("another process got %s, this one %s", got, want)
		}
	}
	if made, err := filepath.Glob(filepath.Join(store.Dir, "bash-*")); err != nil || len(made) != 1 {
		t.Errorf("made %q, %v, want one layout", made, err)
	}
	wantNoWork(t, store)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	store := &images.Store{Dir: t.TempDir()}
	unlock, err := images.Lock(t.Context(), filepath.Join(store.Dir, "busybox.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := store.Get(ctx, images.Busybox); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v while another process builds, want the context's", err)
	}
}

func TestUnknownImage(t *testing.T) {
	t.Parallel()
	_, err := shared(t).Get(t.Context(), "nginx")
	if drydock.CodeOf(err) != drydock.Invalid || !strings.Contains(err.Error(), images.HelloWorld) {
		t.Errorf("got error %v, want one that lists the images", err)
	}
	if _, err := shared(t).Get(t.Context(), images.Multi); drydock.CodeOf(err) != drydock.Invalid {
		t.Errorf("getting an index as an image: %v", err)
	}
	if _, err := shared(t).Index(t.Context(), images.Busybox); drydock.CodeOf(err) != drydock.Invalid {
		t.Errorf("getting an image as an index: %v", err)
	}
}

// Not parallel: it changes the environment and the working directory.
func TestDefault(t *testing.T) {
	module := t.TempDir()
	inside := filepath.Join(module, "a", "b")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	borrowed := filepath.Join(module, "home")
	if err := errors.Join(os.Mkdir(borrowed, 0o755), os.Chown(borrowed, 1000, 1000)); err != nil {
		t.Fatalf("%v (the tests run as root)", err)
	}
	t.Chdir(inside)
	for _, c := range []struct{ name, images, cache, home, want string }{
		{"own variable", "/i", "/c", "/h", "/i"},
		{"relative variable", "i", "", "", filepath.Join(inside, "i")},
		{"cache folder", "", "/c", "/h", "/c/drydock/images"},
		{"home", "", "", "/h", "/h/.cache/drydock/images"},
		{"home of another user", "", "", borrowed, "/var/cache/drydock/images"},
		{"no home", "", "", "", filepath.Join(module, ".cache", "images")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("DRYDOCK_IMAGES", c.images)
			t.Setenv("XDG_CACHE_HOME", c.cache)
			t.Setenv("HOME", c.home)
			store, err := images.Default()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, store.Dir); diff != "" {
				t.Errorf("folder (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMultiHasAForeignPlatformAndAnAttestation(t *testing.T) {
	t.Parallel()
	index, err := shared(t).Index(t.Context(), images.Multi)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 3 {
		t.Fatalf("%d manifests, want 3", len(manifest.Manifests))
	}
	own, foreign, attestation := manifest.Manifests[0], manifest.Manifests[1], manifest.Manifests[2]
	if want := digest(t, get(t, shared(t), images.Busybox)); own.Digest.String() != want {
		t.Errorf("this machine's image is %s, want busybox %s", own.Digest, want)
	}
	if own.Platform.OS != "linux" || foreign.Platform.OS != "linux" || own.Platform.Architecture == foreign.Platform.Architecture {
		t.Errorf("platforms %s and %s", own.Platform, foreign.Platform)
	}
	if attestation.Platform.String() != "unknown/unknown" ||
		attestation.Annotations["vnd.docker.reference.digest"] != own.Digest.String() {
		t.Errorf("the attestation is %s for %v", attestation.Platform, attestation.Annotations)
	}
}
