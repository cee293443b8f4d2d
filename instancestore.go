package drydock

import "context"

// InstanceStore keeps what a server notes of the container groups that it runs.
// Its methods may be called from several goroutines.
type InstanceStore interface {
	// Instance returns the notes of a group; code NotFound when there are none.
	Instance(ctx context.Context, group ResourceID) ([]byte, error)

	// PutInstance creates or replaces them.
	PutInstance(ctx context.Context, group ResourceID, notes []byte) error

	// DeleteInstance deletes them, if there are any.
	DeleteInstance(ctx context.Context, group ResourceID) error
}
