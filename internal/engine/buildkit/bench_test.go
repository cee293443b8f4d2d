package buildkit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// BenchmarkContainer compares one more step of a run, its network, files,
// process and end, with `runc run` of the same files. The two take turns, so
// that what else the machine does counts for both; times are medians.
func BenchmarkContainer(b *testing.B) {
	buildkit.LogTo(io.Discard)
	step, plain := newStep(b), newBundle(b)
	for _, parallel := range []int{1, 10} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			var steps, runcs []time.Duration
			for b.Loop() {
				steps = append(steps, timed(b, parallel, step))
				runcs = append(runcs, timed(b, parallel, plain))
			}
			b.ReportMetric(milliseconds(median(steps)), "ms/step")
			b.ReportMetric(milliseconds(median(runcs)), "ms/runc")
			b.ReportMetric(float64(median(steps))/float64(median(runcs)), "ratio")
		})
	}
}

// timed carries out something several times at once.
func timed(b *testing.B, parallel int, do func(n int) error) time.Duration {
	b.Helper()
	var wg sync.WaitGroup
	errs := make([]error, parallel)
	start := time.Now()
	for n := range parallel {
		wg.Go(func() { errs[n] = do(n) })
	}
	wg.Wait()
	took := time.Since(start)
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	return took
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// newStep opens a run and returns what carries out a trivial step of it.
func newStep(b *testing.B) func(n int) error {
	b.Helper()
	r, err := registry.New(registry.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	if err := images.Push(b.Context(), r.Host, "busybox"); err != nil {
		b.Fatal(err)
	}
	e, err := buildkit.New(b.Context(), buildkit.Config{Root: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	s, err := e.Open(b.Context(), engine.RunSpec{ID: "bench", Networks: []drydock.Network{{Name: drydock.DefaultNetwork, IsDefault: true}}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	run := func(n int) error {
		return s.Run(context.Background(), engine.Container{
			Name: fmt.Sprintf("bench%d", n), Image: r.Host + "/busybox", Args: []string{"true"},
			Dir: "/workspace", Network: drydock.DefaultNetwork, Stdout: io.Discard, Stderr: io.Discard,
		})
	}
	if err := run(0); err != nil { // fetches the image
		b.Fatal(err)
	}
	return run
}

// newBundle unpacks the image and returns what carries out `runc run` with it.
func newBundle(b *testing.B) func(n int) error {
	b.Helper()
	dir := b.TempDir()
	rootfs := filepath.Join(dir, "rootfs")
	if err := os.Mkdir(rootfs, 0o755); err != nil {
		b.Fatal(err)
	}
	img, err := images.Get(b.Context(), "busybox")
	if err != nil {
		b.Fatal(err)
	}
	files := mutate.Extract(img)
	defer files.Close()
	untar := exec.Command("tar", "-x", "-C", rootfs)
	untar.Stdin = files
	if out, err := untar.CombinedOutput(); err != nil {
		b.Fatalf("unpacking the image: %v\n%s", err, out)
	}
	if out, err := exec.Command("runc", "spec", "--bundle", dir).CombinedOutput(); err != nil {
		b.Fatalf("runc spec: %v\n%s", err, out)
	}
	config := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(config)
	if err != nil {
		b.Fatal(err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		b.Fatal(err)
	}
	spec.Process.Args, spec.Process.Terminal = []string{"true"}, false
	if data, err = json.Marshal(spec); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(config, data, 0o600); err != nil {
		b.Fatal(err)
	}
	return func(n int) error {
		return exec.Command("runc", "run", "--bundle", dir, fmt.Sprintf("drydock-bench-%d-%d", os.Getpid(), n)).Run()
	}
}
