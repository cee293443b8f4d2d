package main

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/oci"
	"github.com/drydockhq/drydock/internal/runner"
)

// runQueue is the queue as the resource manager wants it.
type runQueue struct{ *daemon }

var _ arm.Queue = (*runQueue)(nil)

// Enqueue implements arm.Queue.
func (q *runQueue) Enqueue(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error) {
	return q.queue.Enqueue(ctx, r)
}

// SetSlots implements arm.Queue.
func (q *runQueue) SetSlots(registry drydock.ResourceID, pool string, slots int) {
	q.queue.SetSlots(registry, pool, slots)
}

// Cancel implements arm.Queue. The log of a run that was never started ends
// here.
func (q *runQueue) Cancel(ctx context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error) {
	r, err := q.queue.Cancel(ctx, registry, id)
	if err != nil {
		return r, err
	}
	if r.Status.Ended() {
		q.metrics.ended(r, nil)
		if err := q.blobs.seal(ctx, r); err != nil {
			// It is ended when somebody asks for it.
			q.log.ErrorContext(ctx, "ending the log of a run", "run", r.ID, "error", err)
		}
	}
	return r, nil
}

// ended counts a run that has ended.
func (d *daemon) ended(r drydock.RunRecord, o runner.Outcome) { d.metrics.ended(r, o.Steps) }

// deleting ends what a resource stands for before it is deleted: the runs of a
// registry and what is kept of them.
func (d *daemon) deleting(ctx context.Context, r drydock.Resource) error {
	if !strings.EqualFold(r.ID.Type(), registryType) {
		return nil
	}
	if err := d.cancelRuns(ctx, r.ID); err != nil {
		return err
	}
	if err := d.blobs.deleted(ctx, r); err != nil {
		return err
	}
	return d.oci.Drop(ctx, oci.Registry{ID: r.ID})
}

// cancelRuns cancels the runs of a registry and waits for their end.
func (d *daemon) cancelRuns(ctx context.Context, registry drydock.ResourceID) error {
	for {
		active, err := d.store.Runs(ctx, drydock.RunFilter{Registry: registry, OnlyActive: true, Brief: true})
		if err != nil || len(active) == 0 {
			return err
		}
		for _, r := range active {
			_, err := (&runQueue{d}).Cancel(ctx, registry, r.ID)
			if code := drydock.CodeOf(err); err != nil && code != drydock.Conflict && code != drydock.NotFound {
				return err
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// sealEnded ends the logs of runs that ended when the server was killed before
// it could say so in the log. Their readers wait for that.
func (d *daemon) sealEnded(ctx context.Context) error {
	open, err := d.blobs.folder.Unsealed(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	registries, err := d.registries(ctx)
	if err != nil {
		return err
	}
	byContainer := map[string]drydock.ResourceID{}
	for _, r := range registries {
		byContainer[containerOf(logsPrefix, r)] = r.ID
	}
	for _, key := range open {
		registry, ok := byContainer[key.Container]
		if !ok {
			continue
		}
		id, _, _ := strings.Cut(key.Name, "/")
		r, err := d.store.Run(ctx, registry, id)
		if drydock.CodeOf(err) == drydock.NotFound || err == nil && !r.Status.Ended() {
			continue
		}
		if err != nil {
			return err
		}
		if err := d.blobs.seal(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
