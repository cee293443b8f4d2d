package dockercmd_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

// pushed returns the platforms of the index that a registry has under a name.
func (d *docker) pushed(name string) (mediaType string, platforms []string) {
	d.t.Helper()
	c, ok := d.store.remote[name]
	if !ok {
		d.t.Fatalf("%s is not in the registry", name)
	}
	var index ocispec.Index
	if err := json.Unmarshal(c.data, &index); err != nil {
		d.t.Fatal(err)
	}
	for _, m := range index.Manifests {
		p := m.Platform
		platforms = append(platforms, strings.Trim(p.OS+"/"+p.Architecture+"/"+p.Variant+"/"+strings.Join(p.OSFeatures, ","), "/"))
	}
	return c.desc.MediaType, platforms
}

func TestManifestList(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.want("Created manifest list r.io/app:all\n", "manifest create r.io/app:all r.io/app:v1 r.io/app:v2")
	d.refused(1, "refusing to amend", "manifest create r.io/app:all busybox")
	d.must("manifest create -a r.io/app:all busybox:arm")
	d.must("manifest annotate --os linux --arch arm --variant v7 --os-features a,b r.io/app:all busybox:arm")
	d.refused(1, "does not exist in", "manifest annotate --arch arm r.io/app:all nosuch")
	arm := d.digest("docker.io/library/busybox:arm")
	out := d.must("manifest push --purge r.io/app:all")
	want := "Pushed ref r.io/app@" + arm + " with digest: " + arm + "\n" + d.digest("r.io/app:all") + "\n"
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("manifest push (-want +got):\n%s", diff)
	}
	mediaType, platforms := d.pushed("r.io/app:all")
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64", "linux/arm/v7/a,b"}, platforms); diff != "" || mediaType != ocispec.MediaTypeImageIndex {
		t.Errorf("pushed as %s\n%s", mediaType, diff)
	}
	from := d.store.puts[0].From
	if len(from) != 3 || from[d.store.remote["docker.io/library/busybox:arm"].desc.Digest] != "docker.io/library/busybox:arm" {
		t.Errorf("sources: %v", from)
	}
	d.refused(1, "not found: docker manifest create makes it", "manifest push r.io/app:all")
}

func TestManifestListOfDockerImages(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("manifest create r.io/b busybox busybox:arm")
	d.must("manifest push r.io/b")
	mediaType, _ := d.pushed("r.io/b:latest")
	if mediaType != "application/vnd.docker.distribution.manifest.list.v2+json" {
		t.Errorf("pushed as %s", mediaType)
	}
	d.must("manifest rm r.io/b")
	d.refused(1, "No such manifest", "manifest rm r.io/b")
}

func TestManifestRefused(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.refused(1, "is a manifest list", "manifest create r.io/l busybox:index")
	d.refused(1, "no such manifest: r.io/none:latest", "manifest create r.io/l r.io/none")
	d.refused(1, "no such manifest", "manifest inspect r.io/none")
	d.refused(1, "requires at least 2 arguments", "manifest create r.io/l")
	d.refused(1, "requires at least 1 and at most 2 arguments", "manifest inspect")
	d.store.remote["r.io/bare:1"] = d.store.image(dockerV2, "", "bare")
	d.must("manifest create r.io/l r.io/bare:1")
	d.refused(1, "must have an OS and Architecture", "manifest push r.io/l")
	d.refused(1, "unsupported os/arch combination: linux/", "manifest annotate --os linux r.io/l r.io/bare:1")
	d.must("manifest annotate --os linux --arch amd64 r.io/l r.io/bare:1")
	d.must("manifest push r.io/l")
}

func TestManifestInspect(t *testing.T) {
	t.Parallel()
	d := setup(t)
	raw := d.must("manifest inspect r.io/app:v1")
	if !strings.HasPrefix(raw, "{\n\t\"config\"") {
		t.Errorf("manifest inspect printed\n%s", raw)
	}
	var one struct {
		Ref         string
		Descriptor  ocispec.Descriptor
		OCIManifest ocispec.Manifest
	}
	if err := json.Unmarshal([]byte(d.must("manifest inspect -v r.io/app:v2")), &one); err != nil {
		t.Fatal(err)
	}
	if one.Ref != "r.io/app:v2" || one.Descriptor.Platform.Architecture != "arm64" || one.OCIManifest.SchemaVersion != 2 {
		t.Errorf("manifest inspect -v: %+v", one)
	}
	var all []struct{ Ref string }
	if err := json.Unmarshal([]byte(d.must("manifest inspect -v busybox:index")), &all); err != nil || len(all) != 1 {
		t.Fatalf("manifest inspect -v of an index: %v, %v", all, err)
	}
	if want := "docker.io/library/busybox@" + d.digest("docker.io/library/busybox:latest"); all[0].Ref != want {
		t.Errorf("ref %s, want %s", all[0].Ref, want)
	}
	d.must("manifest create r.io/l r.io/app:v1")
	d.want(raw, "manifest inspect r.io/l r.io/app:v1")
	if out := d.must("manifest inspect r.io/l"); !strings.Contains(out, d.digest("r.io/app:v1")) {
		t.Errorf("manifest inspect of a list printed\n%s", out)
	}
	if err := json.Unmarshal([]byte(d.must("manifest inspect -v r.io/l")), &all); err != nil || all[0].Ref != "r.io/app:v1" {
		t.Errorf("manifest inspect -v of a list: %v, %v", all, err)
	}
	d.refused(1, "No such manifest", "manifest inspect r.io/l busybox")
}

func TestManifestListsInParallel(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("manifest create r.io/l r.io/app:v1")
	var wg sync.WaitGroup
	for _, name := range []string{"r.io/app:v2", "busybox", "busybox:arm"} {
		wg.Go(func() {
			err := d.client.Run(t.Context(), dockercmd.Invocation{Args: []string{"manifest", "create", "--amend", "r.io/l", name}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d.must("manifest push r.io/l")
	if _, platforms := d.pushed("r.io/l:latest"); len(platforms) != 4 {
		t.Errorf("platforms %v", platforms)
	}
}

func TestImagetools(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must("buildx imagetools create -t r.io/copy:1 -t r.io/copy:2 busybox:index")
	for _, name := range []string{"r.io/copy:1", "r.io/copy:2"} {
		if got := d.digest(name); got != d.digest("docker.io/library/busybox:index") {
			t.Errorf("%s has another digest", name)
		}
	}
	d.must("buildx imagetools create -t r.io/copy:1 busybox:index r.io/app:v2 r.io/app:v2")
	if _, platforms := d.pushed("r.io/copy:1"); !cmp.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("platforms %v", platforms)
	}
	d.must("buildx imagetools create --append -t r.io/copy:2 r.io/app:v2")
	if _, platforms := d.pushed("r.io/copy:2"); len(platforms) != 2 {
		t.Errorf("platforms %v", platforms)
	}
	d.refused(1, "can't push without --tag", "buildx imagetools create busybox")
	d.want(string(d.store.remote["r.io/app:v1"].data)+"\n", "buildx imagetools create --dry-run r.io/app:v1")
	d.want(string(d.store.remote["r.io/app:v1"].data), "buildx imagetools inspect --raw r.io/app:v1")
	d.want(d.digest("r.io/copy:1")+"\n", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", "r.io/copy:1")
	d.want(`"arm64"`+"\n", "buildx", "imagetools", "inspect", "--format", "{{json .Image.Architecture}}", "r.io/app:v2")
	if out := d.must("buildx imagetools inspect r.io/copy:1"); !strings.Contains(out, "Platform:  linux/arm64") {
		t.Errorf("imagetools inspect printed\n%s", out)
	}
}
