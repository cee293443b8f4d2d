package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/drydockhq/drydock"
)

// triggerOf names what caused a run, as the list of runs does.
func triggerOf(r drydock.RunRecord) string {
	var t struct {
		SourceTrigger      *struct{ EventType string }
		ImageUpdateTrigger *struct{}
		TimerTrigger       *struct{}
	}
	if len(r.Trigger) > 0 && json.Unmarshal(r.Trigger, &t) != nil {
		return "unknown"
	}
	switch {
	case t.SourceTrigger != nil:
		return "source"
	case t.ImageUpdateTrigger != nil:
		return "image update"
	case t.TimerTrigger != nil:
		return "timer"
	}
	return "manual"
}

// cacheBytes returns the size of the engine's caches; 0 when that can't be
// found out now.
func (d *daemon) cacheBytes() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	records, err := d.executor.DiskUsage(ctx)
	if err != nil {
		d.log.Warn("measuring the cache", "error", err)
		return 0
	}
	var total int64
	for _, r := range records {
		total += r.Size
	}
	return float64(total)
}
