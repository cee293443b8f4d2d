package queue_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// BenchmarkEnqueue2000 queues 2,000 runs in a database on disk.
func BenchmarkEnqueue2000(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		q := benchQueue(b, 1)
		b.StartTimer()
		enqueueMany(b, q, 2000)
	}
	b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

// BenchmarkRuns2000 takes 2,000 queued runs through claim, start and finish,
// four at a time, in a database on disk.
func BenchmarkRuns2000(b *testing.B) {
	const runs, slots = 2000, 4
	for b.Loop() {
		b.StopTimer()
		q := benchQueue(b, slots)
		enqueueMany(b, q, runs)
		b.StartTimer()
		var wg sync.WaitGroup
		for range slots {
			wg.Go(func() {
				for range runs / slots {
					if err := runOne(b.Context(), q); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	b.ReportMetric(runs*float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

func runOne(ctx context.Context, q *queue.Queue) error {
	c, err := q.Claim(ctx)
	if err != nil {
		return err
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	return c.Finish(ctx, drydock.RunSucceeded, []byte(`{}`))
}

func enqueueMany(b *testing.B, q *queue.Queue, n int) {
	b.Helper()
	for i := range n {
		r := drydock.RunRecord{
			Registry: registries[i%2], Type: drydock.QuickRun, Created: time.Now(),
			Request: []byte(`{"Kind":"EncodedTaskRunRequest","TaskContent":"c3RlcHM6IFt7Y21kOiB0cnVlfV0=","OS":"linux"}`),
		}
		if _, err := q.Enqueue(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

func benchQueue(b *testing.B, slots int) *queue.Queue {
	b.Helper()
	s, err := sqlstore.Open(b.Context(), filepath.Join(b.TempDir(), "drydock.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	for _, id := range []drydock.ResourceID{registries[0].Parent(), registries[0], registries[1]} {
		if _, err := s.PutResource(b.Context(), drydock.Resource{ID: id}, ""); err != nil {
			b.Fatal(err)
		}
	}
	q, err := queue.Open(b.Context(), queue.Config{Runs: s, Owner: "bench", Alone: true, Slots: slots})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(q.Close)
	return q
}
