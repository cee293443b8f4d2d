package buildkit_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

func TestBuildPlatforms(t *testing.T) {
	t.Parallel()
	e := newExecutor(t, buildkit.Config{})
	reg := newRegistry(t, registry.Options{}, "busybox", "multi")
	r := openRun(t, e, `
-- Dockerfile --
FROM scratch
ARG TARGETARCH
COPY file-$TARGETARCH /file
ENV ARCH=$TARGETARCH
-- file-amd64 --
amd64
-- file-arm64 --
arm64
-- Dockerfile.run --
FROM `+reg.Host+`/multi
RUN ["/bin/sh", "-c", "true"]
-- Dockerfile.busybox --
FROM `+reg.Host+`/busybox
`)
	image := reg.Host + "/platforms"
	r.build("--platform", "Linux/AMD64,linux/Arm64", "-t", image, ".")
	digest := r.push(image)
	desc, err := reg.Get("platforms")
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "the digest", desc.Digest.String(), digest)
	index, err := desc.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range manifest.Manifests {
		found = append(found, m.Platform.String())
		img, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		wantContains(t, "env", strings.Join(config.Config.Env, " "), "ARCH="+m.Platform.Architecture)
	}
	wantEqual(t, "platforms", strings.Join(found, " "), "linux/amd64 linux/arm64")

	// One platform alone is no index.
	r.build("--platform=LINUX/arm64", "-t", reg.Host+"/alone", ".")
	r.push(reg.Host + "/alone")
	if desc, err := reg.Get("alone"); err != nil || desc.MediaType.IsIndex() {
		t.Errorf("one platform is %v, %v", desc, err)
	}
	wantError(t, r.buildError("--platform", "linux/arm64", "-f", "Dockerfile.run", "."), drydock.Failed,
		"Dockerfile.run:2", "can't run programs for linux/arm64", "FROM --platform=$BUILDPLATFORM")
	wantError(t, r.buildError("--platform", "linux/s390x", "-f", "Dockerfile.run", "."), drydock.Failed, "Dockerfile.run:1", "nothing for the platform")
	// As docker does with an image that says it is for one platform only.
	wantContains(t, "the progress", r.build("--platform", "linux/s390x", "-f", "Dockerfile.busybox", "."), "InvalidBaseImagePlatform", "linux/amd64")
	if _, err := r.tryRun(reg.Host+"/alone", "true"); err == nil {
		t.Error("an image of another platform ran")
	} else {
		wantContains(t, "the error", err.Error(), "linux/arm64", "linux/amd64")
	}
}
