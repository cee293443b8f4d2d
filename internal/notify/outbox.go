// Package notify tells others of what happens: it makes messages of events for
// the webhooks of registries, and sends what is to be sent until it is taken.
package notify

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
)

// Store keeps the messages.
type Store interface {
	drydock.DeliveryStore
	drydock.DeliveryLog
}

// Sealer encrypts messages; an auth.Sealer is one.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// Outbox takes messages. Its fields are set before it is used.
type Outbox struct {
	Store  Store
	Sealer Sealer
	Now    func() time.Time
}

func purpose(owner drydock.ResourceID) string { return "deliveries " + owner.Key() }

// Send stores a message that is sent to the owner's target until it is taken, or
// for a day. It joins the transaction of its context: the message is sent if
// that is committed. One with an ID that is there already is none more.
func (o *Outbox) Send(ctx context.Context, d drydock.Delivery) error {
	d.Body = o.Sealer.Seal(d.Body, purpose(d.Owner))
	if d.Created.IsZero() {
		d.Created = o.Now()
	}
	return o.Store.AddDelivery(ctx, d)
}

// Sent returns the newest messages of an owner, the newest first.
func (o *Outbox) Sent(ctx context.Context, owner drydock.ResourceID, limit int) ([]drydock.Delivery, error) {
	found, err := o.Store.Deliveries(ctx, owner, limit)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].Body, err = o.Sealer.Open(found[i].Body, purpose(found[i].Owner)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Hasten has the messages of an owner that wait to be tried again tried at once.
func (o *Outbox) Hasten(ctx context.Context, owner drydock.ResourceID) error {
	return o.Store.HastenDeliveries(ctx, owner, o.Now())
}
