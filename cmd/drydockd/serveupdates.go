package main

import (
	"context"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/notify"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// tellingStore is the store that tells the endpoints of tasks of what base images
// start, in the transaction of the runs.
type tellingStore struct {
	*sqlstore.Store
	updates *notify.Updates
}

var _ drydock.RunStore = (*tellingStore)(nil)

func (d *daemon) tellingStore() *tellingStore {
	return &tellingStore{d.store, &notify.Updates{Runs: d.store, Outbox: d.outbox(), LoginServer: d.loginServer, Log: d.log}}
}

// CreateRuns implements drydock.RunStore.
func (s *tellingStore) CreateRuns(ctx context.Context, runs []drydock.RunRecord) (created []drydock.RunRecord, err error) {
	err = s.Atomically(ctx, func(ctx context.Context) error {
		if created, err = s.Store.CreateRuns(ctx, runs); err != nil {
			return err
		}
		return s.updates.Tell(ctx, created...)
	})
	return created, err
}

// UpdateRun implements drydock.RunStore.
func (s *tellingStore) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (updated drydock.RunRecord, err error) {
	err = s.Atomically(ctx, func(ctx context.Context) error {
		var before drydock.RunRecord
		updated, err = s.Store.UpdateRun(ctx, registry, id, func(r *drydock.RunRecord) error {
			before = *r
			return change(r)
		})
		if err != nil || !s.updates.Changed(before, updated) {
			return err
		}
		return s.updates.Tell(ctx, updated)
	})
	return updated, err
}
