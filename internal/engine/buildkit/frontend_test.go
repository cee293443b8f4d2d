package buildkit_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// frontendProgram compiles testdata/frontend, once.
var frontendProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "drydock-frontend-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "frontend"), "./testdata/frontend")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "frontend"))
})

// pushFrontend pushes the image of testdata/frontend and returns its name.
func pushFrontend(t *testing.T, reg *registry.Registry, name string, labels map[string]string) string {
	t.Helper()
	program, err := frontendProgram()
	if err != nil {
		t.Fatalf("compiling the frontend: %v", err)
	}
	layer := programLayer(t, "frontend", program)
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64",
		Config: v1.Config{Entrypoint: []string{"/frontend"}, Labels: labels},
		RootFS: rootFS(t, img),
	})
	if err != nil {
		t.Fatal(err)
	}
	name = reg.Host + "/" + name
	if err := crane.Push(img, name, crane.Insecure, crane.WithTransport(transport)); err != nil {
		t.Fatal(err)
	}
	return name
}

// programLayer makes a layer of one executable file.
func programLayer(t *testing.T, name string, program []byte) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

func rootFS(t *testing.T, img v1.Image) v1.RootFS {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return config.RootFS
}

func TestOfficialFrontend(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	// Nothing answers for Docker Hub here.
	e := newExecutor(t, buildkit.Config{Registries: mirror("docker.io", "http://127.0.0.1:1")})
	for _, name := range []string{
		"docker/dockerfile:1", "docker/dockerfile", "docker.io/docker/dockerfile:1.7", "docker/dockerfile:1.7.1-labs",
		"docker/dockerfile:labs", "docker/dockerfile-upstream:master",
		"docker/dockerfile:1@sha256:9857836c9ee4268391bb5b09f9f157f3c91bb15821bb77969642813b0d00518d",
	} {
		r := openRun(t, e, `
-- Dockerfile --
# syntax=`+name+`
FROM `+reg.Host+`/busybox
RUN --mount=type=tmpfs,target=/scratch <<END
echo heredoc > /file
END
COPY <<-"EOF" /other
	$literal
EOF
`)
		r.build("-t", "official", ".")
		wantEqual(t, name, r.run("official", "cat /file /other"), "heredoc\n$literal\n")
	}
}

func TestExternalFrontend(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	frontend := pushFrontend(t, reg, "frontend:1", map[string]string{"moby.buildkit.frontend.caps": "moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts"})
	simple := pushFrontend(t, reg, "simple:1", nil)
	r := openRun(t, newExecutor(t, buildkit.Config{}), `
-- own/Dockerfile --
FROM `+reg.Host+`/busybox
RUN echo own > /own
-- Dockerfile --
# syntax=`+frontend+`
FROM own
RUN cp /own /copied
-- broken/Dockerfile --
# syntax=`+frontend+`
FROM own
RUN false
-- simple/Dockerfile --
# syntax=`+simple+`
FROM `+reg.Host+`/busybox
RUN echo simple > /simple
`)
	r.build("-t", "own", "own")
	out := r.build("-t", reg.Host+"/external", ".")
	wantEqual(t, "/copied", r.run(reg.Host+"/external", "cat /copied"), "own\n")
	wantEqual(t, "the label", strings.TrimSpace(r.docker("inspect", "-f", "{{.Config.Labels.frontend}}", reg.Host+"/external")), "of the test")
	wantContains(t, "the progress", out, "resolve image config for docker-image://"+frontend)
	wantContains(t, "the error", r.buildError("broken").Error(), "Dockerfile:3", "exit code: 1")
	crash, err := r.try(t.Context(), nil, "--build-arg", "FAIL=frontend says no", "simple")
	if err == nil {
		t.Error("a build whose frontend fails succeeded")
	}
	wantContains(t, "the progress", crash, "frontend says no")
	r.build("-t", "simple", "simple") // takes none of the run's images
	wantEqual(t, "/simple", r.run("simple", "cat /simple"), "simple\n")
	if got := r.Dependencies(); len(got) != 3 {
		t.Errorf("dependencies are %+v", got)
	} else {
		wantEqual(t, "the base", got[1].Runtime.Reference, "own:latest")
		wantEqual(t, "buildtime images", references(got[1].Buildtime), "")
	}
}
