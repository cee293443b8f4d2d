package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/drydockhq/drydock/test/gotool"
)

// toolsDir is the module of programs that others wrote, below the module's root.
const toolsDir = "test/images/tools"

func helmRecipe(ctx context.Context) (*recipe, error) {
	return toolRecipe(ctx, "helm", "helm.sh/helm/v3/cmd/helm")
}

func orasRecipe(ctx context.Context) (*recipe, error) {
	return toolRecipe(ctx, "oras", "./oras", "oras/main.go")
}

// toolRecipe returns an image with busybox and the program of a package of the
// tools module, which is its entrypoint. The sources are those of the package
// that are in the module itself.
func toolRecipe(ctx context.Context, name, pkg string, sources ...string) (*recipe, error) {
	base, err := busyboxLayer(ctx)
	if err != nil {
		return nil, err
	}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, toolsDir)
	target := "usr/local/bin/" + name
	l := layer{name: name, tree: tree{}, inputs: []string{"go", runtime.Version(), runtime.GOARCH, target, pkg}}
	// They pin all that the program is made from.
	for _, source := range append([]string{"go.mod", "go.sum"}, sources...) {
		text, err := os.ReadFile(filepath.Join(dir, source))
		if err != nil {
			return nil, fmt.Errorf("making test image %q: %w", name, err)
		}
		l.inputs = append(l.inputs, source, string(text))
	}
	l.late = func(ctx context.Context, work string, t tree) error {
		program := filepath.Join(work, name)
		if err := gotool.Build(ctx, dir, program, pkg); err != nil {
			return errors.Join(err, ctx.Err())
		}
		t.copy(target, 0o755, program)
		return nil
	}
	return single(v1.Config{
		Env:        []string{defaultPath},
		Entrypoint: []string{"/" + target},
	}, base, l), nil
}
