package baseimage

import (
	"context"

	"github.com/drydockhq/drydock"
)

// Store is what this package needs of a store. All of it joins the transaction
// that a context carries.
type Store interface {
	drydock.Transactor
	drydock.TaskImageStore
	drydock.TaskGraph
	drydock.ImageStateStore
	drydock.DueStore
	drydock.RunStore
	Tags

	// LastEvent returns the number of the last event; 0 for none.
	LastEvent(ctx context.Context) (int64, error)
}

// Tags knows what the tags of this server's registries point at.
type Tags interface {
	Tags(ctx context.Context, f drydock.TagFilter) ([]drydock.Tag, error)
}

// Tasks knows what tasks do by themselves.
type Tasks interface {
	// Triggers returns what starts runs of a task; code NotFound when it is gone.
	Triggers(ctx context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error)

	// TaskRuns returns the records of runs of tasks that nobody asked for, ready to
	// be stored but for their triggers, with an error for each one that can't be
	// made: of a task that is disabled one with code Conflict, of one that is gone
	// with code NotFound.
	TaskRuns(ctx context.Context, tasks []drydock.ResourceID) (records []drydock.RunRecord, refused []error, err error)
}

// Hosts knows under which hosts this server's registries are reached.
type Hosts interface {
	Host(registry drydock.ResourceID) string
	// Registry returns the registry with a host, and false for the host of
	// somebody else.
	Registry(ctx context.Context, host string) (drydock.ResourceID, bool, error)
}
