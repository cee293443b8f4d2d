package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// gated compares the gated import of the example with its parts: the test image
// built by buildctl, its test run by runc, and the base image copied from
// registry to registry under both of its tags. With fresh, each goes to a
// registry that is empty; else all but the new tag is there already.
func (l *lab) gated(ctx context.Context, fresh bool) (comparison, error) {
	parts, err := l.importParts(ctx)
	if err != nil {
		return comparison{}, err
	}
	title := "The gated import, into a registry that has the layers"
	if fresh {
		title = "The gated import, into an empty registry"
	}
	return comparison{title: title, contenders: []contender{
		{
			rows: []row{{name: "sum of the parts"}, {name: "  buildctl build"}, {name: "  runc run"}, {name: "  two registry copies"}},
			do: func(ctx context.Context, round int) ([]float64, error) {
				return l.importTarget(fresh, func(team string) ([]float64, error) {
					return parts.do(ctx, team, fmt.Sprintf("parts%d", round))
				})
			},
		},
		{
			rows: []row{{name: "drydockd exec: the whole program", goal: 1.5}, {name: "drydockd exec: its steps"}},
			do: func(ctx context.Context, round int) ([]float64, error) {
				return l.importTarget(fresh, func(team string) ([]float64, error) {
					return l.importWhole(ctx, team, fmt.Sprintf("exec%d", round))
				})
			},
		},
	}}, nil
}

// importTarget calls do with the registry to import into.
func (l *lab) importTarget(fresh bool, do func(team string) ([]float64, error)) ([]float64, error) {
	if !fresh {
		return do(l.team.Host)
	}
	r, err := registry.New(registry.Options{})
	if err != nil {
		return nil, err
	}
	values, err := do(r.Host)
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	return values, err
}

// importWhole is the import by drydockd.
func (l *lab) importWhole(ctx context.Context, team, id string) ([]float64, error) {
	e, err := l.exec(ctx, l.example, "--registry", team, "--id", id, "--set", "REGISTRY_FROM_URL="+l.public.Host+"/")
	var steps time.Duration
	for _, took := range e.steps {
		steps += took
	}
	return []float64{milliseconds(e.wall), milliseconds(steps)}, err
}

// importParts are the parts of the import.
type importParts struct {
	lab  *lab
	test *program
}

// importParts unpacks the test image, for runc to run.
func (l *lab) importParts(ctx context.Context) (*importParts, error) {
	p, config, err := l.bundle.unpack(ctx, images.Node)
	if err != nil {
		return nil, err
	}
	script, err := os.ReadFile(filepath.Join(l.example, "test.sh"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(p.rootfs, "test"), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(p.rootfs, "test", "test.sh"), script, 0o755); err != nil {
		return nil, err
	}
	p.cwd = "/test"
	p.args = append(append([]string{}, config.Config.Entrypoint...), "/bin/sh", "-c", "./test.sh")
	return &importParts{lab: l, test: p}, nil
}

// do carries the parts out, and returns their sum and then each.
func (p *importParts) do(ctx context.Context, team, tag string) ([]float64, error) {
	l := p.lab
	build, err := timed(ctx, l.buildctl, l.daemon.buildctl(l.example, "--opt", "build-arg:REGISTRY_FROM_URL="+l.public.Host+"/")...)
	if err != nil {
		return nil, err
	}
	args, err := l.bundle.container(p.test)
	if err != nil {
		return nil, err
	}
	test, err := timed(ctx, l.runc, args...)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	for _, target := range []string{"/node:15-alpine", "/node:15-alpine-" + tag} {
		if err := crane.Copy(l.public.Host+"/"+images.Node, team+target, crane.WithContext(ctx)); err != nil {
			return nil, err
		}
	}
	copies := time.Since(start)
	return []float64{milliseconds(build + test + copies), milliseconds(build), milliseconds(test), milliseconds(copies)}, nil
}
