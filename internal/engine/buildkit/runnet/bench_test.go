package runnet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		m, err := runnet.New(b.Context(), runnet.Config{Prefix: "ddtest"})
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenRunClose(b *testing.B) {
	m := newManager(b, nil)
	n := 0
	for b.Loop() {
		n++
		r, err := m.OpenRun(b.Context(), fmt.Sprint("r", n), nil, runnet.RunOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenRunAtRest leaves the closing out of the time, and what the kernel
// does for it afterwards.
func BenchmarkOpenRunAtRest(b *testing.B) {
	m := newManager(b, nil)
	n := 0
	for b.Loop() {
		n++
		r, err := m.OpenRun(b.Context(), fmt.Sprint("r", n), nil, runnet.RunOptions{})
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(150 * time.Millisecond)
		b.StartTimer()
	}
}

func BenchmarkAttachClose(b *testing.B) {
	for _, spares := range []int{-1, 2} {
		b.Run(fmt.Sprint("spares=", max(spares, 0)), func(b *testing.B) {
			m := newManager(b, func(c *runnet.Config) { c.Spares = spares })
			r := openRun(b, m, "bench")
			for b.Loop() {
				if err := attach(b, r, runnet.Endpoint{Name: "step"}).Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAttachAsStepsDo leaves 30 ms between containers, less than a step
// takes, so that the spares are ready again.
func BenchmarkAttachAsStepsDo(b *testing.B) {
	m := newManager(b, nil)
	r := openRun(b, m, "bench")
	for b.Loop() {
		err := attach(b, r, runnet.Endpoint{Name: "step"}).Close()
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(30 * time.Millisecond)
		b.StartTimer()
	}
}

// BenchmarkTenAttachClose attaches ten containers at once, as ten parallel steps do.
func BenchmarkTenAttachClose(b *testing.B) {
	m := newManager(b, nil)
	r := openRun(b, m, "bench")
	for b.Loop() {
		errs := make(chan error, 10)
		for i := range 10 {
			go func() {
				a, err := r.Attach(b.Context(), runnet.Endpoint{Name: fmt.Sprint("step", i)})
				if err == nil {
					err = a.Close()
				}
				errs <- err
			}()
		}
		for range 10 {
			if err := <-errs; err != nil {
				b.Fatal(err)
			}
		}
	}
}
