package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
)

// openResident opens an executor that stays open as a buildkitd does. It goes
// with the lab.
func (l *lab) openResident(ctx context.Context) (*buildkit.Executor, error) {
	buildkit.LogTo(io.Discard)
	e, err := buildkit.New(ctx, buildkit.Config{Root: l.path("resident")})
	if err != nil {
		return nil, fmt.Errorf("opening the engine: %w", err)
	}
	l.later(e.Close)
	return e, nil
}

// residentBuild is a run with one build, and a push where name is not empty. It
// returns how long the run took, and how long its steps.
func residentBuild(ctx context.Context, e *buildkit.Executor, source, name string) (run, steps time.Duration, err error) {
	args := []string{"."}
	if name != "" {
		args = []string{"-t", name, "."}
	}
	flags, err := buildflags.Parse(args)
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	s, err := e.Open(ctx, engine.RunSpec{
		ID: "bench", Source: source, Networks: []drydock.Network{{Name: drydock.DefaultNetwork, IsDefault: true}},
	})
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	err = s.Build(ctx, engine.Build{StepID: "build", Flags: flags, Out: io.Discard})
	if err == nil && name != "" {
		_, err = s.Push(ctx, name, io.Discard)
	}
	steps = time.Since(begun)
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	return time.Since(start), steps, err
}
