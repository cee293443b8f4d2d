package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
)

// eventsShown is how many events of a webhook are listed.
const eventsShown = 100

// Outbox sends messages to others.
type Outbox interface {
	// Send stores a message, in the transaction of the context if there is one.
	Send(ctx context.Context, d drydock.Delivery) error

	// Sent returns the newest messages of an owner, the newest first.
	Sent(ctx context.Context, owner drydock.ResourceID, limit int) ([]drydock.Delivery, error)

	// Hasten has those tried at once that wait to be tried again.
	Hasten(ctx context.Context, owner drydock.ResourceID) error
}

// pingWebhook sends a message of no meaning.
func (s *Server) pingWebhook(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	if !webhookOf(st).Enabled {
		return nil, conflict("WebhookDisabled", "The webhook '%s' is disabled: nothing is sent to it.", st.ID.Name())
	}
	id, now := s.c.NewID(), s.c.Now()
	body, err := json.Marshal(object{"id": id, "timestamp": timestamp(now), "action": drydock.PingAction})
	if err != nil {
		return nil, err
	}
	if err := s.c.Outbox.Send(req.Context(), drydock.Delivery{ID: id, Owner: st.ID, Action: drydock.PingAction, Body: body, Created: now}); err != nil {
		return nil, err
	}
	return ok(object{"id": id})
}

// listWebhookEvents shows what was sent to a webhook, and what came back.
func (s *Server) listWebhookEvents(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	details, err := s.webhookDetails(st)
	if err != nil {
		return nil, err
	}
	sent, err := s.c.Outbox.Sent(req.Context(), st.ID, eventsShown)
	if err != nil {
		return nil, err
	}
	docs := make([]any, len(sent))
	for i, d := range sent {
		if docs[i], err = deliveryDoc(d, text(details, "serviceUri")); err != nil {
			return nil, err
		}
	}
	return listAnswer(docs, "")
}

// deliveryDoc shows a delivery as ACR's event. The keys attempts, state and
// nextAttempt are ours.
func deliveryDoc(d drydock.Delivery, uri string) (object, error) {
	content, err := parseObject(d.Body)
	if err != nil {
		return nil, err
	}
	doc := object{
		"id": d.ID,
		"eventRequestMessage": object{
			"content": content, "headers": headerDoc(d.Last.Headers), "method": "POST", "requestUri": uri, "version": "1.1",
		},
		"attempts": d.Attempts, "state": deliveryState(d),
	}
	if !d.Next.IsZero() {
		doc["nextAttempt"] = timestamp(d.Next)
	}
	if d.Attempts > 0 {
		answered := object{"reasonPhrase": d.Last.Reason, "headers": headerDoc(d.Last.Answered), "content": d.Last.Content, "version": d.Last.Version}
		if d.Last.Status != 0 {
			answered["statusCode"] = strconv.Itoa(d.Last.Status)
		}
		doc["eventResponseMessage"] = answered
	}
	return doc, nil
}

func deliveryState(d drydock.Delivery) string {
	switch {
	case !d.Taken.IsZero():
		return "Delivered"
	case d.Next.IsZero():
		return "GivenUp"
	}
	return "Pending"
}

func headerDoc(headers map[string]string) object {
	doc := object{}
	for name, value := range headers {
		doc[name] = value
	}
	return doc
}

// DeliveryTarget returns where the messages of a webhook go, or those of a task
// about its base images. What is not there, or has no URL, is an error with code
// NotFound.
func (s *Server) DeliveryTarget(ctx context.Context, owner drydock.ResourceID) (drydock.DeliveryTarget, error) {
	if strings.EqualFold(owner.Type(), taskType) {
		t, err := s.Triggers(ctx, owner)
		if err != nil {
			return drydock.DeliveryTarget{}, err
		}
		if t.BaseImage == nil || t.BaseImage.Endpoint == "" {
			return drydock.DeliveryTarget{}, drydock.Errorf(drydock.NotFound, "the task %s wants nobody to be told of base images", owner)
		}
		return drydock.DeliveryTarget{URL: t.BaseImage.Endpoint, Disabled: !t.Enabled || !t.BaseImage.Enabled}, nil
	}
	st, err := s.load(ctx, owner)
	if err != nil {
		return drydock.DeliveryTarget{}, err
	}
	if !st.exists() || st.deleting() {
		return drydock.DeliveryTarget{}, drydock.Errorf(drydock.NotFound, "there is no webhook %s", owner)
	}
	details, err := s.webhookDetails(st)
	if err != nil {
		return drydock.DeliveryTarget{}, fmt.Errorf("webhook %s: %w", owner, err)
	}
	target := drydock.DeliveryTarget{
		URL: text(details, "serviceUri"), Secret: text(details, "secret"), Disabled: !webhookOf(st).Enabled, Headers: map[string]string{},
	}
	headers, _ := details["customHeaders"].(object)
	for name, value := range headers {
		target.Headers[name] = asText(value)
	}
	return target, nil
}
