package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// acrBuild measures a build by the server, with its upload, queue, log and
// push, beside `drydockd exec` of the same.
func (l *lab) acrBuild(s *server) (comparison, error) {
	files := map[string]string{
		"Dockerfile": "FROM " + l.busybox() + "\nCOPY . /app\nRUN echo built > /built\nCOPY changing /changing\n",
		"acb.yaml":   "version: v1.1.0\nsteps:\n- build: -t $Registry/bench:app .\n- push: [$Registry/bench:app]\n",
	}
	for i := range 20 {
		files[fmt.Sprint("file", i)] = "a file of the project"
	}
	source, err := l.folder("acrbuild", files)
	change := func(by string, round int) error {
		return os.WriteFile(filepath.Join(source, "changing"), fmt.Append(nil, by, round, time.Now()), 0o644)
	}
	return comparison{title: "build of a warm project with one changed file, and its push (goal: 300 ms more at most)", noRatio: true, contenders: []contender{{
		rows: []row{{name: "drydockd exec"}, {name: "drydock acr build"}, {name: "difference"}},
		do: func(ctx context.Context, round int) ([]float64, error) {
			if err := change("exec", round); err != nil {
				return nil, err
			}
			e, err := l.exec(ctx, source)
			if err != nil {
				return nil, err
			}
			if err := change("build", round); err != nil {
				return nil, err
			}
			var took float64
			err = l.with(ctx, func(serve.TB) {
				begun := time.Now()
				s.client.Must("acr", "build", "-r", "contoso", "-t", "bench:app", source)
				took = milliseconds(time.Since(begun))
			})
			return []float64{milliseconds(e.wall), took, took - milliseconds(e.wall)}, err
		},
	}}}, err
}
