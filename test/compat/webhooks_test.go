package compat_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// webhooks makes a webhook, changes it, lets it be called, and deletes it.
func webhooks(t *testing.T, a *sdk) {
	ctx, c := t.Context(), a.acr.NewWebhooksClient()
	const name = "callsback"
	called := make(chan http.Header, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r.Header }))
	t.Cleanup(receiver.Close)
	made := poll(c.BeginCreate(ctx, serve.Group, a.registry, name, armcontainerregistry.WebhookCreateParameters{
		Location: to.Ptr("here"), Tags: map[string]*string{"team": to.Ptr("a")},
		Properties: &armcontainerregistry.WebhookPropertiesCreateParameters{
			ServiceURI: &receiver.URL, Actions: []*armcontainerregistry.WebhookAction{to.Ptr(armcontainerregistry.WebhookActionPush)},
			Status: to.Ptr(armcontainerregistry.WebhookStatusDisabled), Scope: to.Ptr("hello:*"),
		},
	}, nil))(t)
	if *made.Properties.ProvisioningState != armcontainerregistry.ProvisioningStateSucceeded || *made.Properties.Status != armcontainerregistry.WebhookStatusDisabled {
		t.Errorf("the webhook is %+v", made.Properties)
	}
	poll(c.BeginUpdate(ctx, serve.Group, a.registry, name, armcontainerregistry.WebhookUpdateParameters{
		Properties: &armcontainerregistry.WebhookPropertiesUpdateParameters{
			Status: to.Ptr(armcontainerregistry.WebhookStatusEnabled), CustomHeaders: map[string]*string{"X-Team": to.Ptr("docks")},
		},
	}, nil))(t)
	got := must(c.Get(ctx, serve.Group, a.registry, name, nil))(t)
	if *got.ID != *made.ID || *got.Properties.Status != armcontainerregistry.WebhookStatusEnabled || *got.Properties.Scope != "hello:*" ||
		*got.Properties.Actions[0] != armcontainerregistry.WebhookActionPush || *got.Tags["team"] != "a" {
		t.Errorf("the changed webhook is %+v", got.Webhook)
	}
	if config := must(c.GetCallbackConfig(ctx, serve.Group, a.registry, name, nil))(t); *config.ServiceURI != receiver.URL || *config.CustomHeaders["X-Team"] != "docks" {
		t.Errorf("its messages go to %+v", config)
	}
	ping := must(c.Ping(ctx, serve.Group, a.registry, name, nil))(t)
	a.awaitPing(t, *ping.ID, called)
	event := a.eventOf(t, name, *ping.ID)
	if *event.EventRequestMessage.Content.Action != "ping" || *event.EventRequestMessage.RequestURI != receiver.URL || *event.EventResponseMessage.StatusCode != "200" {
		t.Errorf("the event is %+v, answered by %+v", event.EventRequestMessage, event.EventResponseMessage)
	}
	list := func() []*armcontainerregistry.Webhook {
		return all(t, c.NewListPager(serve.Group, a.registry, nil), func(p armcontainerregistry.WebhooksClientListResponse) []*armcontainerregistry.Webhook {
			return p.Value
		})
	}
	if l := list(); len(l) != 1 || *l[0].Name != name {
		t.Errorf("the webhooks are %+v", l)
	}
	poll(c.BeginDelete(ctx, serve.Group, a.registry, name, nil))(t)
	if l := list(); len(l) != 0 {
		t.Errorf("the webhooks are %+v", l)
	}
}

// awaitPing waits for the call that a ping makes.
func (a *sdk) awaitPing(t *testing.T, id string, called <-chan http.Header) {
	t.Helper()
	select {
	case header := <-called:
		if header.Get("X-Team") != "docks" || header.Get("X-Drydock-Delivery") != id {
			t.Errorf("the webhook was called with %v", header)
		}
	case <-time.After(time.Minute):
		t.Fatal("the webhook is not called")
	}
}

// eventOf waits until the answer to a message of a webhook is known.
func (a *sdk) eventOf(t *testing.T, name, id string) *armcontainerregistry.Event {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		events := all(t, a.acr.NewWebhooksClient().NewListEventsPager(serve.Group, a.registry, name, nil),
			func(p armcontainerregistry.WebhooksClientListEventsResponse) []*armcontainerregistry.Event {
				return p.Value
			})
		if len(events) == 1 && *events[0].ID == id && events[0].EventResponseMessage != nil {
			return events[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("the events of the webhook are %+v", events)
		}
	}
}
