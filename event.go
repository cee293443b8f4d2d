package drydock

import (
	"context"
	"time"
)

// Event is something that happened and that tasks, webhooks or people may want
// to know of. It is written in the transaction of the change that it tells of.
type Event struct {
	Number  int64      // orders events; set by the store, from 1
	ID      string     // unique: of a delivery, or made by whoever writes the event
	Kind    string     // what happened, as "push"
	Subject ResourceID // the resource that it happened to: a registry, a task
	Data    []byte     // JSON; its form goes with the kind
	Time    time.Time
}

// EventStore keeps events, and how far each of their consumers has read. Its
// methods may be called from several goroutines and servers.
type EventStore interface {
	// AppendEvent stores an event and sets its number, which is greater than
	// that of every event that can be read already. If there is one with the
	// same ID, nothing is written and that one is returned.
	AppendEvent(ctx context.Context, e Event) (Event, error)

	// Events returns at most limit events whose numbers are greater than after,
	// in their order.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)

	// EventCursor returns the number of the last event that a consumer is done
	// with; 0 for a new one.
	EventCursor(ctx context.Context, consumer string) (int64, error)

	// MoveEventCursor says that a consumer is done with all events up to a
	// number; a cursor never goes back. Called within Transactor.Atomically, it
	// moves together with what the consumer wrote.
	MoveEventCursor(ctx context.Context, consumer string, number int64) error

	// DeleteEvents deletes the events from before a time that all consumers are
	// done with: those that have ever moved their cursor, be it to 0.
	DeleteEvents(ctx context.Context, before time.Time) error
}
