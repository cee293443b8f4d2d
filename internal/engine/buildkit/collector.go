package buildkit

import (
	"context"
	"sync"

	"github.com/moby/buildkit/client"
)

// collector bounds the caches by the policy for them after each run, in the
// background.
type collector struct {
	executor *Executor
	wakeUp   chan struct{}
	running  sync.WaitGroup
}

func newCollector(e *Executor) *collector {
	c := &collector{executor: e, wakeUp: make(chan struct{}, 1)}
	c.running.Go(func() {
		for range c.wakeUp {
			c.collect()
		}
	})
	return c
}

// wake asks for a collection; one that waits to begin is enough.
func (c *collector) wake() {
	select {
	case c.wakeUp <- struct{}{}:
	default:
	}
}

// Close carries out what was asked for and ends. No wake may follow.
func (c *collector) Close() {
	close(c.wakeUp)
	c.running.Wait()
}

func (c *collector) collect() {
	w := c.executor.worker
	removed := make(chan client.UsageInfo)
	var drained sync.WaitGroup
	drained.Go(func() {
		for range removed {
			continue
		}
	})
	err := w.Prune(context.Background(), removed, w.GCPolicy()...)
	close(removed)
	drained.Wait()
	if err == nil {
		// What failed builds and runs that have ended left is in no cache.
		err = w.GarbageCollect(context.Background())
	}
	if err != nil {
		c.executor.config.Warn("bounding the cache: %v", err)
	}
}
