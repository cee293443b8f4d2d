package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock/internal/engine/buildkit"
)

// change writes new content to the file that the build copies.
func change(source string) error {
	content := make([]byte, 64<<10)
	if _, err := rand.Read(content); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(source, "app"), content, 0o644)
}

// buildSource makes the folder of a build for one contender.
func (l *lab) buildSource(name, dockerfile string) (source, image string, err error) {
	image = l.team.Host + "/" + name
	source, err = l.folder(name, map[string]string{
		"Dockerfile": dockerfile,
		"app":        "first\n",
		"push.yaml": "version: v1.1.0\nsteps:\n- id: build\n  build: -t " + image + " .\n" +
			"- id: push\n  push: [" + image + "]\n",
		"build.yaml": "version: v1.1.0\nsteps:\n- id: build\n  build: .\n",
	})
	return source, image, err
}

// buildJob is a build that contenders carry out.
type buildJob struct {
	name       string // in the names of folders and repositories
	title      string
	dockerfile string
	push       bool // change a file before each build, and push the image
	goal       float64
}

// buildJobs are the builds that are measured.
func (l *lab) buildJobs() []buildJob {
	begin := "FROM " + l.busybox() + "\nRUN mkdir /opt/app && echo cached > /opt/app/readme\n"
	copied := begin + "COPY app /opt/app/\n"
	return []buildJob{
		{name: "copy", title: "A build with one changed file (FROM, RUN, COPY), and its push", dockerfile: copied, push: true, goal: 1.1},
		{
			name: "run", title: "The same with a RUN after the COPY", push: true, goal: 1.1,
			dockerfile: copied + "RUN wc -c /opt/app/app > /opt/app/size\n",
		},
		{name: "cached", title: "A build that is cached as a whole, no push", dockerfile: copied},
	}
}

// build compares a build by a resident buildkitd with one by drydockd, whose
// engine is opened and closed each time, and by an engine that stays open.
func (l *lab) build(e *buildkit.Executor, j buildJob) (comparison, error) {
	stock, err := l.buildctlContender(j)
	if err != nil {
		return comparison{}, err
	}
	resident, err := l.residentContender(e, j)
	if err != nil {
		return comparison{}, err
	}
	whole, err := l.execContender(j)
	return comparison{title: j.title, contenders: []contender{stock, resident, whole}}, err
}

func (l *lab) buildctlContender(j buildJob) (contender, error) {
	source, image, err := l.buildSource("buildctl-"+j.name, j.dockerfile)
	args := l.daemon.buildctl(source)
	if j.push {
		args = append(args, "--output", "type=image,name="+image+",push=true")
	}
	return contender{
		rows: []row{{name: "buildctl build, resident buildkitd"}},
		do: func(ctx context.Context, _ int) ([]float64, error) {
			if err := j.prepare(source); err != nil {
				return nil, err
			}
			took, err := timed(ctx, l.buildctl, args...)
			return []float64{milliseconds(took)}, err
		},
	}, err
}

func (l *lab) residentContender(e *buildkit.Executor, j buildJob) (contender, error) {
	source, image, err := l.buildSource("resident-"+j.name, j.dockerfile)
	if !j.push {
		image = ""
	}
	return contender{
		rows: []row{
			{name: "drydock, resident engine: the whole run", goal: j.goal},
			{name: "drydock, resident engine: its steps"},
		},
		do: func(ctx context.Context, _ int) ([]float64, error) {
			if err := j.prepare(source); err != nil {
				return nil, err
			}
			run, steps, err := residentBuild(ctx, e, source, image)
			return []float64{milliseconds(run), milliseconds(steps)}, err
		},
	}, err
}

func (l *lab) execContender(j buildJob) (contender, error) {
	source, _, err := l.buildSource("exec-"+j.name, j.dockerfile)
	file := "build.yaml"
	if j.push {
		file = "push.yaml"
	}
	return contender{
		rows: []row{
			{name: "drydockd exec: its steps", goal: j.goal},
			{name: "drydockd exec: the whole program"},
		},
		do: func(ctx context.Context, _ int) ([]float64, error) {
			if err := j.prepare(source); err != nil {
				return nil, err
			}
			e, err := l.exec(ctx, source, "--file", file)
			return []float64{milliseconds(e.sum("build", "push")), milliseconds(e.wall)}, err
		},
	}, err
}

// prepare changes the file of a build that is to be new each time.
func (j buildJob) prepare(source string) error {
	if !j.push {
		return nil
	}
	return change(source)
}
