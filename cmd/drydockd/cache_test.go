package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock/internal/engine/buildkit"
)

// cacheExecutor is a fake executor with a cache.
type cacheExecutor struct {
	*fakeExecutor
	records []buildkit.CacheRecord
	err     error
	pruned  buildkit.PruneOptions
}

func (c *cacheExecutor) DiskUsage(context.Context) ([]buildkit.CacheRecord, error) {
	return c.records, c.err
}

func (c *cacheExecutor) Prune(_ context.Context, o buildkit.PruneOptions) ([]buildkit.CacheRecord, error) {
	c.pruned = o
	return c.records, c.err
}

func newCacheBench(t *testing.T) (*bench, *cacheExecutor) {
	t.Helper()
	b := newBench(t)
	now := b.now()
	c := &cacheExecutor{fakeExecutor: b.executor, records: []buildkit.CacheRecord{
		{ID: "small", Description: "local source\nfor context", Size: 512, InUse: true, LastUsed: now.Add(time.Hour)},
		{ID: "large", Description: "pulled from docker.io/library/node", Size: 3 << 20, LastUsed: now.Add(-2 * time.Hour)},
	}}
	b.open = func(_ context.Context, o engineOptions) (executor, error) {
		b.opened = o
		return c, nil
	}
	return b, c
}

func TestDiskUsage(t *testing.T) {
	t.Parallel()
	b, c := newCacheBench(t)
	b.expect(t, statusOK, []string{}, nil, "du", "--data", "/somewhere")
	want := `ID     SIZE  LAST USED               IN USE  DESCRIPTION
large  3MiB  2 hours ago             no      pulled from docker.io/library/node
small  512B  Less than a second ago  yes     local source; for context
Total: 3MiB
`
	if d := cmp.Diff(want, b.stdout.String()); d != "" {
		t.Errorf("output (-want +got):\n%s", d)
	}
	if b.opened.data != "/somewhere" || !c.closed.Load() {
		t.Errorf("the executor was opened on %s, and closed: %t", b.opened.data, c.closed.Load())
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	b, c := newCacheBench(t)
	b.expect(t, statusOK, []string{"large  3MiB", "Removed: 3MiB"}, nil, "prune", "--keep-storage", "10g", "--all")
	if d := cmp.Diff(buildkit.PruneOptions{Keep: 10 << 30, All: true}, c.pruned); d != "" {
		t.Errorf("options (-want +got):\n%s", d)
	}
}

func TestPruneOfNothing(t *testing.T) {
	t.Parallel()
	b, c := newCacheBench(t)
	c.records = nil
	b.expect(t, statusOK, []string{"Removed: 0B\n"}, nil, "prune")
}

func TestPruneFails(t *testing.T) {
	t.Parallel()
	b, c := newCacheBench(t)
	c.err = errors.New("the disk is full")
	b.expect(t, statusFailed, []string{"Removed: 3MiB"}, []string{"drydockd: the disk is full"}, "prune")
	b, _ = newCacheBench(t)
	b.expect(t, statusInvalid, nil, []string{`--keep-storage "much" is not a size`}, "prune", "--keep-storage", "much")
}
