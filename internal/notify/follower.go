package notify

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// Webhooks knows the webhooks of registries.
type Webhooks interface {
	Webhooks(ctx context.Context, registry drydock.ResourceID) ([]drydock.Webhook, error)
}

// Follower makes messages of events. Its fields are set before it is used.
type Follower struct {
	Webhooks    Webhooks
	Runs        drydock.RunStore
	Outbox      *Outbox
	LoginServer func(registry drydock.ResourceID) string
}

// actionsOf are the actions that events may be messages of.
var actionsOf = map[string][]string{
	drydock.PushEvent:     {drydock.PushAction},
	drydock.DeleteEvent:   {drydock.DeleteAction},
	drydock.RunEndedEvent: {drydock.RunAction, drydock.RunFailedAction},
}

// Handle stores the messages of events for the webhooks that want them. It is a
// handler of events.
func (f *Follower) Handle(ctx context.Context, events []drydock.Event) ([]drydock.RunRecord, error) {
	hooks := map[string][]drydock.Webhook{} // by registry
	for _, e := range events {
		if actionsOf[e.Kind] == nil {
			continue
		}
		key := e.Subject.Key()
		if _, known := hooks[key]; !known {
			found, err := f.Webhooks.Webhooks(ctx, e.Subject)
			if err != nil {
				return nil, err
			}
			hooks[key] = found
		}
		if err := f.tell(ctx, e, interested(hooks[key], actionsOf[e.Kind])); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// interested returns the webhooks that want any of some actions.
func interested(all []drydock.Webhook, actions []string) []drydock.Webhook {
	var some []drydock.Webhook
	for _, w := range all {
		for _, action := range actions {
			if w.Wants(action) {
				some = append(some, w)
				break
			}
		}
	}
	return some
}

func (f *Follower) tell(ctx context.Context, e drydock.Event, hooks []drydock.Webhook) error {
	switch {
	case len(hooks) == 0:
		return nil
	case e.Kind == drydock.RunEndedEvent:
		return f.tellOfRun(ctx, e, hooks)
	}
	var change drydock.RegistryEvent
	if err := json.Unmarshal(e.Data, &change); err != nil {
		return fmt.Errorf("reading the event of a registry: %w", err)
	}
	for _, w := range hooks {
		if !w.Covers(change.Repository, change.Tag) {
			continue
		}
		if err := f.send(ctx, e, w, imageMessage(e, change, f.LoginServer(e.Subject))); err != nil {
			return err
		}
	}
	return nil
}

// send stores the message of an event for a webhook; of each event one.
func (f *Follower) send(ctx context.Context, e drydock.Event, w drydock.Webhook, m message) error {
	m.ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(w.ID.Key()+"\n"+e.ID)).String()
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	err = f.Outbox.Send(ctx, drydock.Delivery{ID: m.ID, Owner: w.ID, Action: m.Action, Body: body})
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // the webhook is gone
	}
	return err
}
