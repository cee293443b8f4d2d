package buildkit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

func references(refs []drydock.ImageReference) string {
	var all []string
	for _, ref := range refs {
		all = append(all, ref.Reference)
	}
	return strings.Join(all, " ")
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox", "busybox=base:1", "busybox=base:2", "busybox=tool:1", "busybox=mounted:1", "busybox=unused:1")
	digest, err := reg.Digest("busybox")
	if err != nil {
		t.Fatal(err)
	}
	host := reg.Host
	e := newExecutor(t, buildkit.Config{Registries: mirror("docker.io", reg.URL)})
	if err := images.Push(t.Context(), host, "busybox=library/hub-image:1", "busybox=library/hub-image"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		dockerfile string
		flags      []string
		runtime    string // reference; empty for none
		buildtime  string // references
	}{
		"plain":                   {"FROM $HOST/base:1", nil, "$HOST/base:1", ""},
		"scratch":                 {"FROM scratch\nCOPY Dockerfile /", nil, "", ""},
		"latest":                  {"FROM $HOST/busybox", nil, "$HOST/busybox:latest", ""},
		"platform":                {"FROM --platform=$BUILDPLATFORM $HOST/base:1 AS build\nRUN echo > /x\nFROM --platform=$TARGETPLATFORM $HOST/base:2\nCOPY --from=build /x /x", nil, "$HOST/base:2", "$HOST/base:1"},
		"copy from image":         {"FROM $HOST/base:1\nCOPY --from=$HOST/tool:1 /bin/busybox /tool", nil, "$HOST/base:1", "$HOST/tool:1"},
		"mount from image":        {"FROM $HOST/base:1\nRUN --mount=type=bind,from=$HOST/mounted:1,target=/m ls /m", nil, "$HOST/base:1", "$HOST/mounted:1"},
		"line continuations":      {"FROM \\\n  # comment\n  $HOST/base:1 \\\n  AS build\nCOPY \\\n --from=$HOST/tool:1 \\\n /bin/busybox /tool", nil, "$HOST/base:1", "$HOST/tool:1"},
		"two variables in an ARG": {"ARG A=base B=1\nFROM $HOST/$A:${B}", nil, "$HOST/base:1", ""},
		"ARG from the command":    {"ARG A=x B=y\nFROM $HOST/${A}:$B", []string{"--build-arg=A=base", "--build-arg", "B=2"}, "$HOST/base:2", ""},
		"default in FROM":         {"FROM $HOST/base:${MISSING:-1}", nil, "$HOST/base:1", ""},
		"unused stages":           {"FROM $HOST/nowhere:1 AS never\nRUN false\nFROM $HOST/base:1 AS wanted\nFROM $HOST/unused:1 AS last\nCOPY --from=wanted /bin /bin", []string{"--target", "wanted"}, "$HOST/base:1", ""},
		"digest":                  {"FROM $HOST/busybox@" + digest, nil, "$HOST/busybox@" + digest, ""},
		"tag and digest":          {"FROM $HOST/base:1@" + digest, nil, "$HOST/base:1", ""},
		"stage upon stage":        {"FROM $HOST/base:1 AS a\nFROM a AS b\nRUN echo > /b\nFROM $HOST/base:2 AS tools\nFROM b\nCOPY --from=tools /bin /bin2", nil, "$HOST/base:1", "$HOST/base:2"},
		"one image twice":         {"FROM $HOST/base:1 AS a\nRUN echo > /a\nFROM $HOST/base:1\nCOPY --from=a /a /a\nCOPY --from=$HOST/base:1 /bin /bin2", nil, "$HOST/base:1", ""},
		"Docker Hub":              {"FROM hub-image:1\nCOPY --from=hub-image /bin /bin2", nil, "hub-image:1", "hub-image:latest"},
		"upper case platform":     {"FROM $HOST/base:1", []string{"--platform", "Linux/AMD64"}, "$HOST/base:1", ""},
		"several platforms":       {"FROM scratch AS x\nCOPY --from=$HOST/base:1 /bin /bin", []string{"--platform", "linux/amd64,linux/arm64"}, "", "$HOST/base:1"},
		"architecture in FROM":    {"FROM $HOST/base:${TARGETARCH/amd64/1}", nil, "$HOST/base:1", ""},
		"escape directive":        {"# escape=`\nARG A=base:1\nFROM `\n  $HOST/$A", nil, "$HOST/base:1", ""},
		"named context":           {"FROM other", []string{"--build-context", "other=docker-image://$HOST/base:1"}, "$HOST/base:1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := strings.NewReplacer("$HOST", host)
			r := openRun(t, e, "-- my dir/My Dockerfile --\n"+with.Replace(test.dockerfile)+"\n-- Dockerfile --\n", func(s *engine.RunSpec) { s.Commit = "abc" })
			args := []string{"-t", host + "/made:" + "1", "-f", "my dir/My Dockerfile"}
			for _, flag := range test.flags {
				args = append(args, with.Replace(flag))
			}
			r.build(append(args, ".")...)
			found := r.Dependencies()
			if len(found) != 1 {
				t.Fatalf("dependencies are %+v, want those of one image", found)
			}
			runtime := []drydock.ImageReference{}
			if found[0].Runtime != nil {
				runtime = append(runtime, *found[0].Runtime)
			}
			wantEqual(t, "runtime", references(runtime), with.Replace(test.runtime))
			wantEqual(t, "buildtime", references(found[0].Buildtime), with.Replace(test.buildtime))
			for _, ref := range append(runtime, found[0].Buildtime...) {
				wantEqual(t, "digest of "+ref.Reference, ref.Digest, digest)
				if strings.HasPrefix(ref.Reference, "hub") {
					wantEqual(t, "registry", ref.Registry+"/"+ref.Repository, "registry.hub.docker.com/library/hub-image")
				}
			}
			if found[0].Git == nil || found[0].Git.HeadRevision != "abc" {
				t.Errorf("git is %+v", found[0].Git)
			}
			wantEqual(t, "image", found[0].Image.Reference, host+"/made:1")
			wantEqual(t, "digest before the push", found[0].Image.Digest, "")
			wantSameBases(t, surveyed(t, e, with.Replace(test.dockerfile), append(args, ".")), found[0])
		})
	}
}

// surveyed returns what a build would be made from.
func surveyed(t *testing.T, e *buildkit.Executor, dockerfile string, args []string) []drydock.BaseImage {
	t.Helper()
	flags, err := buildflags.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	bases, err := e.Bases(t.Context(), []byte(dockerfile), engine.Build{Flags: flags})
	if err != nil {
		t.Fatalf("surveying the Dockerfile: %v", err)
	}
	return bases
}

// wantSameBases checks that what a build would be made from is what it was made
// from.
func wantSameBases(t *testing.T, bases []drydock.BaseImage, found drydock.ImageDependencies) {
	t.Helper()
	text := func(kind drydock.BaseImageKind, ref drydock.ImageReference) string {
		name, err := ref.Name()
		if err != nil {
			t.Fatal(err)
		}
		return string(kind) + " " + name.String()
	}
	var want, got []string
	if found.Runtime != nil {
		want = append(want, text(drydock.RuntimeBase, *found.Runtime))
	}
	for _, ref := range found.Buildtime {
		want = append(want, text(drydock.BuildTimeBase, ref))
	}
	for _, b := range bases {
		got = append(got, string(b.Kind)+" "+b.Image.String())
	}
	slices.Sort(want)
	slices.Sort(got)
	wantEqual(t, "survey", strings.Join(got, "\n"), strings.Join(want, "\n"))
}

// What a name with a digest stands for doesn't move; what the same image is
// called without one does.
func TestPinnedDependencies(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox=base:1", "busybox=tool:1")
	digest, err := reg.Digest("base:1")
	if err != nil {
		t.Fatal(err)
	}
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- pinned/Dockerfile --
FROM `+reg.Host+`/base:1@`+digest+`
COPY --from=`+reg.Host+`/tool:1 /bin/busybox /tool
-- floating/Dockerfile --
FROM `+reg.Host+`/base:1
`)
	r.build("pinned")
	r.build("floating")
	found := r.Dependencies()
	if !found[0].Runtime.Pinned || found[0].Buildtime[0].Pinned || found[1].Runtime.Pinned {
		t.Errorf("dependencies are %+v %+v, %+v", found[0].Runtime, found[0].Buildtime, found[1].Runtime)
	}
}

// A build that fails has resolved images all the same.
func TestDependenciesOfFailedBuild(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox=base:1", "busybox=tool:1")
	digest, err := reg.Digest("base:1")
	if err != nil {
		t.Fatal(err)
	}
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- Dockerfile --
FROM `+reg.Host+`/tool:1 AS tools
FROM `+reg.Host+`/base:1
COPY --from=tools /bin/busybox /tool
RUN false
`)
	_ = r.buildError("-t", reg.Host+"/made:1", ".")
	found := r.Dependencies()
	if len(found) != 1 || found[0].Image != nil || found[0].Runtime == nil || len(found[0].Buildtime) != 1 {
		t.Fatalf("dependencies are %+v", found)
	}
	wantEqual(t, "runtime", found[0].Runtime.Reference+" "+found[0].Runtime.Digest, reg.Host+"/base:1 "+digest)
	wantEqual(t, "buildtime", found[0].Buildtime[0].Reference, reg.Host+"/tool:1")

	// An attempt that failed is nothing beside the next one.
	build := func(dockerfile string) error {
		flags, err := buildflags.Parse([]string{"-f", "-", "-t", reg.Host + "/made:1", "."})
		if err != nil {
			t.Fatal(err)
		}
		return r.Build(t.Context(), engine.Build{
			StepID: "retried", Flags: flags, Dir: "/workspace", Out: &output{},
			Stdin: strings.NewReader("FROM " + reg.Host + "/base:1\n" + dockerfile),
		})
	}
	if err := build("RUN false\n"); err == nil {
		t.Error("RUN false succeeded")
	}
	if err := build("RUN true\n"); err != nil {
		t.Error(err)
	}
	if found = r.Dependencies(); len(found) != 2 || found[1].Image == nil {
		t.Errorf("after another attempt dependencies are %+v", found)
	}
}

// The image that reads the Dockerfile is nothing that the result is made from.
func TestFrontendIsNoDependency(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	name := pushFrontend(t, reg, "frontend:1", nil)
	e := newExecutor(t, buildkit.Config{})
	dockerfile := "# syntax=" + name + "\nFROM " + reg.Host + "/busybox\n"
	r := openRun(t, e, "-- Dockerfile --\n"+dockerfile)
	r.build("-t", "made", ".")
	for _, d := range r.Dependencies() {
		all := d.Buildtime
		if d.Runtime != nil {
			all = append(all, *d.Runtime)
		}
		if strings.Contains(references(all), "frontend") {
			t.Errorf("dependencies are %s", references(all))
		}
	}
	flags, err := buildflags.Parse([]string{"."})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Bases(t.Context(), []byte(dockerfile), engine.Build{Flags: flags}); drydock.CodeOf(err) != drydock.Invalid {
		t.Errorf("surveying the Dockerfile of another frontend: %v", err)
	}
}

// Of an image for several platforms the digest of the index counts: that is what
// the tag points at.
func TestDependencyOnIndex(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox=one:1")
	one, err := crane.Pull(reg.Host+"/one:1", crane.Insecure, crane.WithTransport(transport))
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	ref, err := name.ParseReference(reg.Host+"/many:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index, remote.WithTransport(transport)); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	e := newExecutor(t, buildkit.Config{})
	r := openRun(t, e, "-- Dockerfile --\nFROM "+reg.Host+"/many:1\n")
	r.build("-t", "made", ".")
	wantEqual(t, "digest", r.Dependencies()[0].Runtime.Digest, digest.String())
	image, err := drydock.ParseImageName(reg.Host + "/many:1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Digest(t.Context(), image, nil)
	if err != nil || got != digest.String() {
		t.Errorf("the registry says %s, %v", got, err)
	}
	image.Tag = "none"
	if _, err := e.Digest(t.Context(), image, nil); drydock.CodeOf(err) != drydock.NotFound {
		t.Errorf("of a tag that is not there the registry says %v", err)
	}
}

func TestDependenciesOfOwnImages(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	base, err := reg.Digest("busybox")
	if err != nil {
		t.Fatal(err)
	}
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- base/Dockerfile --
FROM `+reg.Host+`/busybox
RUN echo 1 > /1
-- app/Dockerfile --
FROM `+reg.Host+`/own-base:1
COPY --from=tagged /bin/busybox /tool
`)
	r.docker("pull", reg.Host+"/busybox")
	r.docker("tag", reg.Host+"/busybox", "tagged")
	r.build("-t", reg.Host+"/own-base:1", "base")
	r.build("-t", reg.Host+"/app:1", "-t", reg.Host+"/app:2", "app")
	r.build("app")
	digest := r.push(reg.Host + "/own-base:1")
	appDigest := r.push(reg.Host + "/app:2")
	r.docker("tag", reg.Host+"/busybox", reg.Host+"/imported:1")
	r.push(reg.Host + "/imported:1")
	pushed := r.Session.(engine.PushedLister).Pushed()
	wantEqual(t, "pushed", references(pushed), reg.Host+"/app:2 "+reg.Host+"/imported:1 "+reg.Host+"/own-base:1")
	wantEqual(t, "pushed as it came", pushed[1].Digest, base)
	found := r.Dependencies()
	if len(found) != 4 {
		t.Fatalf("dependencies are %+v, want those of four", found)
	}
	wantEqual(t, "base's base", found[0].Runtime.Digest, base)
	wantEqual(t, "base", found[0].Image.Digest, digest)
	for _, deps := range found[1:] {
		wantEqual(t, "app's base", deps.Runtime.Reference, reg.Host+"/own-base:1")
		wantEqual(t, "app's base", deps.Runtime.Digest, digest)
		if len(deps.Buildtime) != 1 {
			t.Fatalf("buildtime is %+v", deps.Buildtime)
		}
		wantEqual(t, "app's tool", deps.Buildtime[0].Digest, base)
		wantEqual(t, "app's tool", deps.Buildtime[0].Reference, reg.Host+"/busybox:latest")
	}
	wantEqual(t, "app:1", found[1].Image.Reference+found[1].Image.Digest, reg.Host+"/app:1")
	wantEqual(t, "app:2", found[2].Image.Reference+found[2].Image.Digest, reg.Host+"/app:2"+appDigest)
	if found[3].Image != nil {
		t.Errorf("a build without a tag made %+v", found[3].Image)
	}
}
