package buildkit_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
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
		})
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
