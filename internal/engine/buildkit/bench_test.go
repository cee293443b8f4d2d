package buildkit_test

import (
	"io"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// BenchmarkContainer is one more step of a run: network, files, process and
// their end.
func BenchmarkContainer(b *testing.B) {
	buildkit.LogTo(io.Discard)
	r, err := registry.New(registry.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if err := images.Push(b.Context(), r.Host, "busybox"); err != nil {
		b.Fatal(err)
	}
	e, err := buildkit.New(b.Context(), buildkit.Config{Root: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	s, err := e.Open(b.Context(), engine.RunSpec{ID: "bench", Networks: []drydock.Network{{Name: drydock.DefaultNetwork, IsDefault: true}}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c := engine.Container{Name: "bench", Image: r.Host + "/busybox", Args: []string{"true"}, Dir: "/workspace", Network: drydock.DefaultNetwork, Stdout: io.Discard, Stderr: io.Discard}
	if err := s.Run(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := s.Run(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
