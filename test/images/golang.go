package images

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/drydockhq/drydock"
)

//go:embed programs/web/main.go
var webSource string

//go:embed programs/hello/main.go
var helloSource string

// goLayer is a layer with a static program at target, compiled from source when
// the image is built.
func goLayer(name, target, source string) layer {
	return layer{
		name:   name,
		tree:   tree{},
		inputs: []string{"go", runtime.Version(), runtime.GOARCH, target, source},
		late: func(ctx context.Context, work string, t tree) error {
			dir := filepath.Join(work, name)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			if err := compile(ctx, dir, source); err != nil {
				return err
			}
			t.copy(target, 0o755, filepath.Join(dir, "program"))
			return nil
		},
	}
}

// compile compiles source, a program that imports nothing but the standard
// library, to dir/program.
func compile(ctx context.Context, dir, source string) error {
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", "program", "main.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH,
		"GOFLAGS=", "GOWORK=off", "GO111MODULE=off")
	if cache, err := os.UserCacheDir(); err != nil || !isOwn(cache) {
		cmd.Env = append(cmd.Env, "GOCACHE="+filepath.Join(dir, "gocache"))
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "compiling a program of a test image: %w\n%s", err, strings.TrimSpace(string(out))).
			WithHint("go must be in the PATH")
	}
	return nil
}

func webRecipe(ctx context.Context) (*recipe, error) {
	base, err := busyboxLayer(ctx)
	if err != nil {
		return nil, err
	}
	web := goLayer("web", "usr/local/bin/web", webSource)
	web.tree.file("www/index.html", 0o644,
		"<!DOCTYPE html>\n<html>\n<head><title>Welcome</title></head>\n<body><h1>Welcome to the web test image</h1></body>\n</html>\n")
	return single(v1.Config{
		Env:          []string{defaultPath},
		Entrypoint:   []string{"/usr/local/bin/web"},
		ExposedPorts: map[string]struct{}{"80/tcp": {}},
		StopSignal:   "SIGTERM",
	}, base, web), nil
}

func helloRecipe() (*recipe, error) {
	if _, err := architectureOf(runtime.GOARCH); err != nil {
		return nil, fmt.Errorf("making test image %q: %w", HelloWorld, err)
	}
	return single(v1.Config{
		Env: []string{defaultPath},
		Cmd: []string{"/hello"},
	}, goLayer("hello", "hello", helloSource)), nil
}
