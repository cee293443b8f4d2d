package buildkit_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

func TestOwnImages(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	base := reg.Host + "/busybox"
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- own/Dockerfile --
FROM `+base+`
COPY file /file
ENV FROM_OWN=yes
WORKDIR /there
CMD ["sh", "-c", "echo cmd of own"]
-- own/file --
first
-- from/Dockerfile --
FROM own
RUN echo "$FROM_OWN $PWD" > /seen
-- ways/Dockerfile --
ARG NAME=own
FROM `+base+` AS other
FROM `+base+`
COPY --from=own /file /copied
COPY --from=docker.io/library/own:latest /file /copied-by-complete-name
COPY --from=tagged /bin/busybox /from-tagged
COPY --from=`+reg.Host+`/private/name:1 /file /copied-by-registry-name
RUN --mount=type=bind,from=own,target=/m cp /m/file /mounted
-- arg/Dockerfile --
ARG NAME=own
ARG TAG=latest
FROM ${NAME}:$TAG
-- hidden/Dockerfile --
FROM `+base+` AS own
RUN echo stage > /file
FROM `+base+`
COPY --from=own /file /file
-- hidden2/Dockerfile --
FROM `+base+` AS Own
RUN echo stage > /file
FROM own
-- Dockerfile.new --
FROM `+base+`
RUN echo second > /file
`)
	r.build("-t", "own", "-t", reg.Host+"/private/name:1", "own")
	r.run(base, "echo changed > own/file")
	r.docker("tag", base, "tagged")
	r.build("-t", "from", "from")
	wantEqual(t, "variables and folder of the own image", r.run("from", "cat /seen"), "yes /there\n")
	wantEqual(t, "the file of the held result", r.run("from", "cat /file"), "first\n")
	r.build("-t", "ways", "ways")
	wantEqual(t, "files", r.run("ways", "cat /copied /copied-by-complete-name /copied-by-registry-name /mounted; test -x /from-tagged && echo tagged"), strings.Repeat("first\n", 4)+"tagged\n")
	r.build("-t", "arg", "arg")
	wantEqual(t, "/file", r.run("arg", "cat /file"), "first\n")
	for _, context := range []string{"hidden", "hidden2"} {
		r.build("-t", "hidden", context)
		wantEqual(t, "a stage that hides the image", r.run("hidden", "cat /file"), "stage\n")
	}
	// The image of a name is the newest.
	r.build("-t", "own", "-f", "Dockerfile.new", ".")
	r.build("-t", "arg", "arg")
	wantEqual(t, "/file of the newest", r.run("arg", "cat /file"), "second\n")
	wantEqual(t, "/file of the name that stayed", r.run(reg.Host+"/private/name:1", "cat /file"), "first\n")

	if got, err := reg.Repositories(); err != nil || len(got) != 1 {
		t.Errorf("the registry has %q, %v; nothing was pushed", got, err)
	}
	if err := r.buildError("--pull", "arg"); err == nil || !strings.Contains(err.Error(), "library/own") {
		t.Errorf("--pull asked nobody for an image of the run: %v", err)
	}
}

func TestOwnImagesOfPlatforms(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- own/Dockerfile --
FROM scratch
ARG TARGETARCH
COPY file /$TARGETARCH
ENV ARCH=$TARGETARCH
-- own/file --
-- from/Dockerfile --
FROM own
COPY Dockerfile /from
-- one/Dockerfile --
FROM --platform=linux/arm64 own AS arm
FROM `+reg.Host+`/busybox
COPY --from=own / /amd
COPY --from=arm / /arm
`)
	const both = "--platform=linux/amd64,linux/arm64"
	r.build(both, "-t", "own", "own")
	r.build(both, "-t", reg.Host+"/from", "from")
	r.push(reg.Host + "/from")
	desc, err := reg.Get("from")
	if err != nil {
		t.Fatal(err)
	}
	index, err := desc.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		img, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		wantContains(t, "env of "+m.Platform.String(), strings.Join(config.Config.Env, " "), "ARCH="+m.Platform.Architecture)
	}
	r.build("-t", "one", "one")
	wantEqual(t, "files", r.run("one", "ls /amd /arm"), "/amd:\namd64\n\n/arm:\narm64\n")
}

func TestRunsWithOneTag(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	e := newExecutor(t, buildkit.Config{})
	var runs []*testRun
	for i := range 3 {
		runs = append(runs, openRun(t, e, fmt.Sprintf(`
-- own/Dockerfile --
FROM %s
COPY name /name
-- own/name --
run %d
-- Dockerfile --
FROM own
RUN cat /name > /seen
`, base, i)))
	}
	var wait sync.WaitGroup
	for i, r := range runs {
		wait.Go(func() {
			for range 2 {
				for _, args := range [][]string{{"-t", "own", "own"}, {"-t", "app", "."}} {
					if out, err := r.try(t.Context(), nil, args...); err != nil {
						t.Errorf("build %q: %v\n%s", args, err, out)
						return
					}
				}
				out, err := r.tryRun("app", "cat /seen")
				if want := fmt.Sprintf("run %d\n", i); err != nil || out != want {
					t.Errorf("run %d sees %q, %v", i, out, err)
				}
			}
		})
	}
	wait.Wait()
	other := openRun(t, e, "-- Dockerfile --\nFROM own\n")
	if _, err := other.tryRun("own", "true"); err == nil {
		t.Error("a run sees an image of another")
	}
	other.buildError(".")
}
