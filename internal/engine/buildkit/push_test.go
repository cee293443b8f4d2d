package buildkit_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// wantValid fails unless a registry has all of an image or index.
func wantValid(t *testing.T, reg *registry.Registry, ref string) {
	t.Helper()
	desc, err := reg.Get(ref)
	if err != nil {
		t.Fatal(err)
	}
	if desc.MediaType.IsIndex() {
		index, err := desc.ImageIndex()
		if err == nil {
			err = validate.Index(index)
		}
		if err != nil {
			t.Errorf("%s is not valid: %v", ref, err)
		}
		return
	}
	img, err := desc.Image()
	if err == nil {
		err = validate.Image(img)
	}
	if err != nil {
		t.Errorf("%s is not valid: %v", ref, err)
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	other := registry.Start(t, registry.Options{})
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- Dockerfile --
FROM `+reg.Host+`/busybox
LABEL made=1
COPY Dockerfile /
-- platforms/Dockerfile --
FROM scratch
ARG TARGETARCH
COPY Dockerfile /$TARGETARCH
`)
	r.build("-t", reg.Host+"/app:1", "-t", reg.Host+"/app:2", "-t", other.Host+"/copy:1", ".")

	before := reg.Count()
	digest := r.push(reg.Host + "/app:1")
	first := reg.Count().Sub(before)
	if first.Uploads != 2 || first.Mounts != 1 {
		t.Errorf("the first push uploaded %d blobs and mounted %d, want layer and config, and the base's layer", first.Uploads, first.Mounts)
	}
	if there, err := reg.Digest("app:1"); err != nil || there != digest {
		t.Errorf("the registry has %s, %v, want %s", there, err, digest)
	}
	before = reg.Count()
	wantEqual(t, "digest of the second push", r.push(reg.Host+"/app:1"), digest)
	wantEqual(t, "digest under another tag", r.push(reg.Host+"/app:2"), digest)
	if again := reg.Count().Sub(before); again.Uploads != 0 || again.UploadStarts != 0 {
		t.Errorf("the second push started %d uploads", again.UploadStarts)
	}
	wantValid(t, reg, "app:2")

	// The base's layer was never fetched so far.
	wantEqual(t, "digest in another registry", r.push(other.Host+"/copy:1"), digest)
	wantValid(t, other, "copy:1")

	r.build("--platform=linux/amd64,linux/arm64", "-t", other.Host+"/platforms", "platforms")
	index := r.push(other.Host + "/platforms")
	wantValid(t, other, "platforms")
	before = other.Count()
	wantEqual(t, "digest of the index", r.push(other.Host+"/platforms"), index)
	if again := other.Count().Sub(before); again.UploadStarts != 0 {
		t.Errorf("the second push of the index started %d uploads", again.UploadStarts)
	}
	r.build("--push", "-t", other.Host+"/pushed-by-flag:1", "-t", other.Host+"/pushed-by-flag:2", ".")
	for _, ref := range []string{"pushed-by-flag:1", "pushed-by-flag:2"} {
		wantValid(t, other, ref)
	}
}

// A new run of the same build has the same digest and sends nothing.
func TestPushOfCachedBuild(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	e := newExecutor(t, buildkit.Config{})
	var digests []string
	for range 2 {
		before := reg.Count()
		r := openRun(t, e, "-- Dockerfile --\nFROM "+reg.Host+"/busybox\nRUN echo > /x\n")
		r.build("-t", reg.Host+"/app", ".")
		digests = append(digests, r.push(reg.Host+"/app"))
		if sent := reg.Count().Sub(before); len(digests) > 1 && sent.Uploads != 0 {
			t.Errorf("the second run uploaded %d blobs", sent.Uploads)
		}
		r.close()
	}
	wantEqual(t, "digest of the second run", digests[1], digests[0])
}

func TestImport(t *testing.T) {
	t.Parallel()
	source := newRegistry(t, registry.Options{}, "busybox=base:1", "multi=many:1")
	target := registry.Start(t, registry.Options{})
	e := newExecutor(t, buildkit.Config{})
	bytesOf := func(reg *registry.Registry, ref string) []byte {
		t.Helper()
		manifest, _, err := reg.Manifest(ref)
		if err != nil {
			t.Fatal(err)
		}
		return manifest
	}
	same := func(name, ref string) {
		t.Helper()
		if !bytes.Equal(bytesOf(source, ref), bytesOf(target, name)) {
			t.Errorf("the manifest of %s changed on its way", ref)
		}
		wantValid(t, target, name)
	}
	r := openRun(t, e, `
-- Dockerfile --
FROM `+source.Host+`/base:1
RUN true
-- digest/Dockerfile --
FROM `+source.Host+`/many:1
`)
	for _, name := range []string{"base:1", "many:1"} {
		r.docker("pull", source.Host+"/"+name)
		r.docker("tag", source.Host+"/"+name, target.Host+"/imported/"+name)
		r.docker("push", target.Host+"/imported/"+name)
		same("imported/"+name, name)
		// To the registry that it is from, all is there already.
		before := source.Count()
		r.docker("tag", source.Host+"/"+name, source.Host+"/again/"+name)
		r.docker("push", source.Host+"/again/"+name)
		if sent := source.Count().Sub(before); sent.Uploads != 0 || sent.Mounts == 0 {
			t.Errorf("retagging %s uploaded %d blobs and mounted %d", name, sent.Uploads, sent.Mounts)
		}
	}

	// An image that only a FROM has named.
	r = openRun(t, e, `
-- Dockerfile --
FROM `+source.Host+`/base:1
RUN true
-- many/Dockerfile --
FROM `+source.Host+`/many:1
`)
	r.build(".")
	r.build("many")
	if list := r.docker("images"); strings.Contains(list, "base") {
		t.Errorf("an image that only a FROM named is listed:\n%s", list)
	}
	for _, name := range []string{"base:1", "many:1"} {
		r.docker("tag", source.Host+"/"+name, target.Host+"/from/"+name)
		r.push(target.Host + "/from/" + name)
		same("from/"+name, name)
	}
	if _, stderr, err := r.tryDocker(nil, "tag", source.Host+"/never:1", "x"); err == nil {
		t.Error("an unknown image was tagged")
	} else {
		wantContains(t, "the message", stderr, "never:1")
	}
}

func TestPushErrors(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	options := registry.Options{Users: map[string]string{"reader": "p", "u": "p"}, Allow: func(user, _, action string) bool { return user == "u" || action == "pull" }}
	basic := registry.Start(t, options)
	options.Tokens = true
	tokens := registry.Start(t, options)
	slow := registry.Start(t, registry.Options{})
	slow.Inject(registry.Fault{Match: registry.On(http.MethodPost, registry.KindUpload), Status: http.StatusTooManyRequests})
	e := newExecutor(t, buildkit.Config{})
	files := "-- Dockerfile --\nFROM " + base + "\nCOPY Dockerfile /\n"
	push := func(r *testRun, image string) error {
		t.Helper()
		r.build("-t", image, ".")
		_, err := r.Push(t.Context(), image, &output{})
		return err
	}
	for _, reg := range []*registry.Registry{basic, tokens} {
		wantError(t, push(openRun(t, e, files), reg.Host+"/x"), drydock.Denied, reg.Host+"/x", "credentials for "+reg.Host)
		wantError(t, push(openRun(t, e, files, withLogin(reg, "u", "wrong")), reg.Host+"/x"), drydock.Denied, "credentials for "+reg.Host)
		wantError(t, push(openRun(t, e, files, withLogin(reg, "reader", "p")), reg.Host+"/x"), drydock.Denied, "credentials for "+reg.Host)
		if err := push(openRun(t, e, files, withLogin(reg, "u", "p")), reg.Host+"/x"); err != nil {
			t.Error(err)
		}
	}
	r := openRun(t, e, files)
	wantError(t, push(r, slow.Host+"/x"), drydock.Unavailable, "limits requests")
	wantError(t, push(r, "127.0.0.1:1/x"), drydock.Unavailable, "is 127.0.0.1:1 reachable")
	_, err := r.Push(t.Context(), slow.Host+"/never-built", &output{})
	wantError(t, err, drydock.Failed, "never-built", "build, pull or tag it")
}

// A Dockerfile may add nothing to its base image. Nothing has fetched the layers
// by the time of the push, which has the run's credentials for that.
func TestPushOfAPrivateBase(t *testing.T) {
	t.Parallel()
	for name, tokens := range map[string]bool{"basic": false, "tokens": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bases := newPrivateRegistry(t, registry.Options{Tokens: tokens}, "busybox")
			target := registry.Start(t, registry.Options{})
			r := openRun(t, newExecutor(t, buildkit.Config{}), "-- Dockerfile --\nFROM "+bases.Host+"/busybox\nENV COLOR=orange\n", withLogin(bases, "u", "p"))
			r.build("-t", target.Host+"/app:1", ".")
			r.push(target.Host + "/app:1")
		})
	}
}
