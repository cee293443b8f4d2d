package baseimage_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm/armtest"
	"github.com/drydockhq/drydock/internal/baseimage"
	"github.com/drydockhq/drydock/internal/dispatch"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// benchTask is a task as clients create it.
const benchTask = `{"properties":{"status":"Enabled","platform":{"os":"linux","architecture":"amd64"},
"agentConfiguration":{"cpu":2},"timeout":3600,"step":{"type":"Docker","contextPath":"https://git.example/team/app%d.git",
"dockerFilePath":"Dockerfile","imageNames":["app%d:{{.Run.ID}}","app%d:latest"],"isPushEnabled":true,
"arguments":[{"name":"VERSION","value":"1"}]},
"trigger":{"baseImageTrigger":{"name":"base","status":"Enabled","baseImageTriggerType":"Runtime"}}}}`

// bench is a server's database with tasks that are built from base.
type bench struct {
	*site
	registry drydock.ResourceID
	queue    *queue.Queue
	consumer *dispatch.Consumer
}

// newBench makes tasks of which every one has run once. A tenth of them build on
// other images.
func newBench(b *testing.B, tasks int) *bench {
	b.Helper()
	arm := armtest.Start(b)
	registry := func(name string) drydock.ResourceID {
		return id("/subscriptions/" + arm.Subscription + "/resourceGroups/docks/providers/Microsoft.ContainerRegistry/registries/" + name)
	}
	s := &site{t: b, store: arm.Store}
	s.put(registry("own").Parent())
	s.put(registry("own"))
	s.must(arm.Store.Atomically(b.Context(), func(ctx context.Context) error {
		for i := range tasks + tasks/10 {
			if err := benchedTask(ctx, arm.Store, registry("own"), i, i >= tasks); err != nil {
				return err
			}
		}
		return nil
	}))
	q, err := queue.Open(b.Context(), queue.Config{Runs: arm.Store, Owner: "bench", Alone: true, Slots: 2})
	s.must(err)
	b.Cleanup(q.Close)
	changed := make(chan struct{}, 1)
	log := slog.New(slog.NewTextHandler(b.Output(), nil))
	follower := &baseimage.Follower{Store: arm.Store, Tasks: arm.Server, Hosts: benchHosts{registry("own")}, Changed: func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}}
	s.evaluator = &baseimage.Evaluator{
		Store: arm.Store, Tasks: arm.Server, Created: q.Enlist, Log: log, NewID: uuid.NewString, Changed: changed,
	}
	return &bench{site: s, registry: registry("own"), queue: q, consumer: &dispatch.Consumer{
		Name: "base-images", Events: arm.Store, Store: arm.Store, Handle: follower.Handle, Handled: follower.Handled,
		Created: q.Enlist, Log: log,
	}}
}

func benchedTask(ctx context.Context, store *sqlstore.Store, registry drydock.ResourceID, i int, other bool) error {
	task := registry.Child("tasks", fmt.Sprintf("app%d", i))
	_, err := store.PutResource(ctx, drydock.Resource{ID: task, Body: fmt.Appendf(nil, benchTask, i, i, i)}, "")
	if err != nil {
		return err
	}
	base := "own/base"
	if other {
		base = fmt.Sprint("own/base", i)
	}
	return store.PutTaskImages(ctx, drydock.TaskImages{
		Task: task, Trigger: drydock.RuntimeImages,
		Bases: []drydock.BaseImage{
			{Image: image(base), Kind: drydock.RuntimeBase, Digest: digest("a")},
			{Image: image(fmt.Sprint("own/tool", i)), Kind: drydock.BuildTimeBase, Digest: digest("x")},
		},
		Outputs: []drydock.ImageName{image(fmt.Sprint("own/app", i))},
	})
}

type benchHosts struct{ registry drydock.ResourceID }

// Host implements baseimage.Hosts.
func (benchHosts) Host(registry drydock.ResourceID) string { return registry.Name() + domain }

// Registry implements baseimage.Hosts.
func (h benchHosts) Registry(_ context.Context, host string) (drydock.ResourceID, bool, error) {
	return h.registry, host == "own"+domain, nil
}

// BenchmarkPush pushes a base image that some tasks build on, with the real
// resource manager and a database on disk, and measures until all of their runs
// are queued, and until the first is claimed and Running.
func BenchmarkPush(b *testing.B) {
	for _, tasks := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(tasks, "-tasks"), func(b *testing.B) { benchmarkPush(b, tasks) })
	}
}

func benchmarkPush(b *testing.B, tasks int) {
	var first, worked time.Duration
	for b.Loop() {
		b.StopTimer()
		s := newBench(b, tasks)
		ctx, cancel := context.WithCancel(b.Context())
		var parts sync.WaitGroup
		parts.Go(func() { s.evaluator.Run(ctx) })
		parts.Go(func() { _ = s.consumer.Run(ctx) })
		s.idle()
		running := make(chan time.Time, 1)
		parts.Go(func() {
			c, err := s.queue.Claim(ctx)
			if err == nil {
				err = c.Start(ctx)
			}
			if err != nil {
				b.Error(err)
			}
			running <- time.Now()
		})
		before := processorTime(b)
		b.StartTimer()
		pushed := time.Now()
		s.must(s.store.PutManifest(ctx, drydock.Manifest{
			Registry: s.registry, Repository: "base", Digest: digest("b"), MediaType: "application/x", Content: []byte("b"),
		}, []string{"1"}, drydock.Actor{ID: "somebody"}))
		first += (<-running).Sub(pushed)
		for s.queue.Load(drydock.ResourceID{}, "").Waiting < tasks-1 {
			time.Sleep(time.Millisecond)
		}
		b.StopTimer()
		worked += processorTime(b) - before
		cancel()
		parts.Wait()
		b.StartTimer()
	}
	b.ReportMetric(worked.Seconds()*1000/float64(b.N), "ms-of-processor")
	b.ReportMetric(first.Seconds()*1000/float64(b.N), "ms-to-first-step")
}

// idle waits until all events are handled.
func (s *bench) idle() {
	s.t.Helper()
	last, err := s.store.LastEvent(s.t.Context())
	s.must(err)
	for {
		at, err := s.store.EventCursor(s.t.Context(), s.consumer.Name)
		s.must(err)
		if at >= last {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// processorTime is what the process has had of the processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
