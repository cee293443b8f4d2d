package drydock

import (
	"context"
	"time"
)

// Delivery is a message to somebody outside, and what has become of it.
type Delivery struct {
	Number int64  // in the order in which they were stored; set by the store
	ID     string // unique
	// Owner is what it is sent for, and says where to: a webhook, or a task whose
	// base image trigger has an endpoint. Its deliveries go with it.
	Owner   ResourceID
	Action  string // what it tells of, as "push"
	Body    []byte // JSON; kept sealed
	Created time.Time

	Attempts int
	Next     time.Time // when it is tried next; zero when it is not any more
	// Blocks makes the later ones of its owner wait until it is done with. It is
	// true at first, and until the other side is there and refuses it.
	Blocks bool
	Taken  time.Time // when the other side took it; zero if it did not
	Last   DeliveryAttempt
}

// DeliveryAttempt is an attempt to deliver something. Nothing in it is secret.
type DeliveryAttempt struct {
	Time     time.Time
	Headers  map[string]string // that were sent; those of the owner's without their values
	Status   int               // of the answer; 0 for none
	Reason   string            // the status in words, or why there was no answer
	Version  string            // of HTTP, as "1.1"
	Answered map[string]string // headers of the answer
	Content  string            // the beginning of the answer
}

// DeliveryTarget is where the deliveries of an owner go. It is secret.
type DeliveryTarget struct {
	URL      string
	Headers  map[string]string
	Secret   string // that bodies are signed with; empty for none
	Disabled bool   // what there is to deliver waits
}

// DeliveryStore keeps deliveries until they are done with. Its methods may be
// called from several goroutines and servers.
type DeliveryStore interface {
	// AddDelivery stores a delivery that is to be tried at once, unless others of
	// its owner are to be tried before it. If there is one with the same ID,
	// nothing is written. An owner that is not there is an error with code
	// NotFound.
	AddDelivery(ctx context.Context, d Delivery) error

	// DueDeliveries returns deliveries that can be tried now, in their order, at
	// most limit; and when others can, zero for never.
	DueDeliveries(ctx context.Context, now time.Time, limit int) (due []Delivery, next time.Time, err error)

	// UpdateDelivery stores what has become of a delivery. Those that wait for it
	// wait until it is tried next at least. One that is not there any more is
	// passed over.
	UpdateDelivery(ctx context.Context, d Delivery) error

	// DeliveriesChanged returns what is closed when deliveries were added or
	// hastened after the call, by this server.
	DeliveriesChanged() <-chan struct{}
}

// DeliveryLog is what people see of deliveries.
type DeliveryLog interface {
	// Deliveries returns the newest deliveries of an owner, the newest first.
	Deliveries(ctx context.Context, owner ResourceID, limit int) ([]Delivery, error)

	// HastenDeliveries makes those of an owner that are still tried due at once.
	HastenDeliveries(ctx context.Context, owner ResourceID, now time.Time) error

	// DeleteDeliveries deletes the deliveries from before a time that are done
	// with, and of each owner all of these but the newest.
	DeleteDeliveries(ctx context.Context, before time.Time, keep int) error
}
