package buildkit

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/buildkit/client"
)

// CacheRecord is something that the caches hold.
type CacheRecord struct {
	ID          string
	Description string
	Size        int64 // bytes
	InUse       bool
	Shared      bool // with another record, so that removing it alone frees nothing
	LastUsed    time.Time
}

// DiskUsage returns what the caches hold.
func (e *Executor) DiskUsage(ctx context.Context) ([]CacheRecord, error) {
	usage, err := e.worker.DiskUsage(ctx, client.DiskUsageInfo{})
	if err != nil {
		return nil, fmt.Errorf("reading the cache: %w", err)
	}
	var records []CacheRecord
	for _, u := range usage {
		records = append(records, cacheRecord(u))
	}
	return records, nil
}

func cacheRecord(u *client.UsageInfo) CacheRecord {
	r := CacheRecord{ID: u.ID, Description: u.Description, Size: u.Size, InUse: u.InUse, Shared: u.Shared, LastUsed: u.CreatedAt}
	if u.LastUsedAt != nil {
		r.LastUsed = *u.LastUsedAt
	}
	return r
}

// PruneOptions say what Prune may keep.
type PruneOptions struct {
	Keep int64 // bytes of the least expendable data; 0 keeps nothing
	All  bool  // also what BuildKit itself needs for its frontends
}

// Prune removes data that nothing uses from the caches, and returns what it
// removed.
func (e *Executor) Prune(ctx context.Context, o PruneOptions) ([]CacheRecord, error) {
	removed := make(chan client.UsageInfo)
	var records []CacheRecord
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		for u := range removed {
			records = append(records, cacheRecord(&u))
		}
	}()
	err := e.worker.Prune(ctx, removed, client.PruneInfo{All: o.All, ReservedSpace: o.Keep, MaxUsedSpace: o.Keep})
	close(removed)
	<-collected
	if err != nil {
		return records, fmt.Errorf("pruning the cache: %w", err)
	}
	return records, e.worker.GarbageCollect(ctx)
}
