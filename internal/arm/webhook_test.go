package arm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

const webhookBody = `{"location":"westeurope","properties":{"serviceUri":"https://hooks.example/hush-path","actions":["push","run_failed"],
	"customHeaders":{"Authorization":"hush-header"},"scope":"hello:*","status":"enabled","secret":"hush-secret"}}`

func TestWebhookWithTheSDK(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	client := s.acr.NewWebhooksClient()
	made, err := client.BeginCreate(t.Context(), "g", "contoso", "hook1", acr.WebhookCreateParameters{
		Location: to.Ptr("westeurope"), Tags: map[string]*string{"a": to.Ptr("b")},
		Properties: &acr.WebhookPropertiesCreateParameters{
			ServiceURI: to.Ptr("http://127.0.0.1:1/hook"), Actions: []*acr.WebhookAction{to.Ptr(acr.WebhookActionPush)},
			CustomHeaders: map[string]*string{"X-Team": to.Ptr("a")},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	created, err := made.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := created.Properties
	if *p.Status != acr.WebhookStatusEnabled || *p.Scope != "" || *p.ProvisioningState != acr.ProvisioningStateSucceeded || *p.Actions[0] != acr.WebhookActionPush || *created.Tags["a"] != "b" {
		t.Errorf("created %+v", p)
	}
	changed, err := client.BeginUpdate(t.Context(), "g", "contoso", "hook1", acr.WebhookUpdateParameters{
		Properties: &acr.WebhookPropertiesUpdateParameters{Scope: to.Ptr("hello:1"), Status: to.Ptr(acr.WebhookStatusEnabled)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := changed.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	config, err := client.GetCallbackConfig(t.Context(), "g", "contoso", "hook1", nil)
	if err != nil || *config.ServiceURI != "http://127.0.0.1:1/hook" || *config.CustomHeaders["X-Team"] != "a" {
		t.Errorf("%+v %v", config, err)
	}
	pinged, err := client.Ping(t.Context(), "g", "contoso", "hook1", nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.NewListEventsPager("g", "contoso", "hook1", nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 1 {
		t.Fatal(page, err)
	}
	e := page.Value[0]
	if *e.ID != *pinged.ID || *e.EventRequestMessage.Content.Action != "ping" || *e.EventRequestMessage.RequestURI != "http://127.0.0.1:1/hook" || e.EventResponseMessage != nil {
		t.Errorf("%+v", e)
	}
	listed, err := client.NewListPager("g", "contoso", nil).NextPage(t.Context())
	if err != nil || len(listed.Value) != 1 || *listed.Value[0].Properties.Scope != "hello:1" {
		t.Errorf("%+v %v", listed, err)
	}
	usage := s.Do(t, s.token, http.MethodGet, s.Scope("g", "registries", "contoso").String()+"/listUsages", "")
	if text, _ := json.Marshal(usage.Body); !strings.Contains(string(text), `{"currentValue":1,"limit":500,"name":"Webhooks"`) {
		t.Errorf("%s", text)
	}
	deleted, err := client.BeginDelete(t.Context(), "g", "contoso", "hook1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deleted.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if due, _, err := s.Store.DueDeliveries(t.Context(), time.Now(), 1); err != nil || len(due) != 0 {
		t.Errorf("after the deletion %d messages wait: %v", len(due), err)
	}
}

func TestWebhookKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso", "webhooks", "hook1")
	reader := s.Token(t, s.Principal(t, auth.ReaderRole, id.Parent()))
	for _, method := range []string{http.MethodPut, http.MethodGet, http.MethodPatch} {
		body := map[string]string{http.MethodPut: webhookBody, http.MethodPatch: `{"properties":{"status":"disabled"}}`}[method]
		if a := s.Do(t, s.token, method, id.String(), body); a.Status != 200 || strings.Contains(fmt.Sprint(a.Body), "hush") || a.At("properties.serviceUri") != nil || a.At("properties.customHeaders") != nil {
			t.Errorf("%s: %d %v", method, a.Status, a.Body)
		}
	}
	stored, err := s.Store.Resource(t.Context(), id)
	if err != nil || strings.Contains(string(stored.Body)+string(stored.Secrets), "hush") {
		t.Errorf("stored %s: %v", stored.Body, err)
	}
	if a := s.Do(t, reader, http.MethodGet, id.String(), ""); a.Status != 200 {
		t.Errorf("a reader: %d", a.Status)
	}
	for _, action := range []string{"getCallbackConfig", "listEvents", "ping"} {
		if a := s.Do(t, reader, http.MethodPost, id.String()+"/"+action, ""); a.Status != 403 {
			t.Errorf("%s by a reader: %d", action, a.Status)
		}
	}
	config := s.Do(t, s.token, http.MethodPost, id.String()+"/getCallbackConfig", "")
	if config.At("serviceUri") != "https://hooks.example/hush-path" || config.At("secret") != "hush-secret" || config.At("customHeaders.Authorization") != "hush-header" {
		t.Errorf("the configuration is %v", config.Body)
	}
	target, err := s.Server.DeliveryTarget(t.Context(), id)
	if err != nil || !target.Disabled || target.URL != "https://hooks.example/hush-path" || target.Secret != "hush-secret" || target.Headers["Authorization"] != "hush-header" {
		t.Errorf("the target is %+v, %v", target, err)
	}
	if a := s.Do(t, s.token, http.MethodPost, id.String()+"/ping", ""); a.Status != 409 || a.Code() != "WebhookDisabled" {
		t.Errorf("ping of a disabled webhook: %d %s", a.Status, a.Code())
	}
}

// What a change does not name stays; headers are cleared by an empty object; a
// secret that nobody gave is made, and outlives a new PUT.
func TestWebhookIsChanged(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	id := s.Scope("g", "registries", "contoso", "webhooks", "hook1").String()
	put := strings.Replace(webhookBody, `,"secret":"hush-secret"`, "", 1)
	secret := func(method, body string) string {
		t.Helper()
		if a := s.Do(t, s.token, method, id, body); a.Status != 200 {
			t.Fatalf("%s: %d %v", method, a.Status, a.Body)
		}
		made, _ := s.Do(t, s.token, http.MethodPost, id+"/getCallbackConfig", "").At("secret").(string)
		return made
	}
	first := secret(http.MethodPut, put)
	if len(first) < 40 || secret(http.MethodPut, put) != first || secret(http.MethodPatch, `{"properties":{"customHeaders":{}}}`) != first {
		t.Errorf("the secret is %q", first)
	}
	if secret(http.MethodPatch, `{"properties":{"secret":"another one"}}`) != "another one" {
		t.Error("the secret can't be changed")
	}
	config := s.Do(t, s.token, http.MethodPost, id+"/getCallbackConfig", "")
	if headers, _ := config.At("customHeaders").(map[string]any); len(headers) != 0 || config.At("serviceUri") != "https://hooks.example/hush-path" {
		t.Errorf("%v", config.Body)
	}
	s.Do(t, s.token, http.MethodPatch, id, `{"tags":{"a":"b"},"properties":{"actions":["delete"],"customHeaders":{"A":"b"}}}`)
	a := s.Do(t, s.token, http.MethodPatch, id, `{"properties":{"scope":""}}`)
	if fmt.Sprint(a.At("properties.actions"), a.At("tags"), a.At("properties.scope")) != "[delete] map[a:b]" {
		t.Errorf("%v", a.Body)
	}
}

func TestWrongWebhooks(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso").String()
	put := func(name, old, with string) (int, string) {
		a := s.Do(t, s.token, http.MethodPut, registry+"/webhooks/"+name, strings.Replace(webhookBody, old, with, 1))
		return a.Status, a.Code()
	}
	for _, c := range []struct{ name, old, with, code string }{
		{"abc", "", "", "InvalidResourceName"},
		{"with-dash", "", "", "InvalidResourceName"},
		{"hook1", `["push","run_failed"]`, `[]`, "InvalidRequestContent"},
		{"hook1", `"run_failed"`, `"explode"`, "InvalidRequestContent"},
		{"hook1", "https://hooks.example/hush-path", "ftp://hooks.example", "InvalidServiceUri"},
		{"hook1", "https://hooks.example/hush-path", "/hook", "InvalidServiceUri"},
		{"hook1", "https://hooks.example/hush-path", "http://169.254.169.254/latest", "InvalidServiceUri"},
		{"hook1", "https://hooks.example/hush-path", "http://[fe80::1]/", "InvalidServiceUri"},
		{"hook1", "https://hooks.example/hush-path", "http://closed.example/", "InvalidServiceUri"},
		{"hook1", "Authorization", "Content-Length", "InvalidRequestContent"},
		{"hook1", "Authorization", "X-Drydock-Event", "InvalidRequestContent"},
		{"hook1", "Authorization", "A B", "InvalidRequestContent"},
		{"hook1", "hush-header", `a\r\nb`, "InvalidRequestContent"},
		{"hook1", "hello:*", "Hello", "InvalidRequestContent"},
		{"hook1", "hello:*", "hello:*:b", "InvalidRequestContent"},
		{"hook1", "hush-secret", "short", "InvalidRequestContent"},
		{"hook1", `"enabled"`, `"on"`, "InvalidRequestContent"},
	} {
		if status, code := put(c.name, c.old, c.with); status != 400 || code != c.code {
			t.Errorf("%s with %s: %d %s", c.name, c.with, status, code)
		}
	}
	if status, code := put("hook1", "", ""); status != 200 {
		t.Error(status, code)
	}
	if a := s.Do(t, s.token, http.MethodPost, registry+"/webhooks/hook2/ping", ""); a.Status != 404 {
		t.Error(a.Status)
	}
}

func TestWrongEndpointsOfTasks(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	for endpoint, want := range map[string]string{
		"ftp://x/": "InvalidServiceUri", "notaurl": "InvalidServiceUri", "http://169.254.169.254/x": "InvalidServiceUri",
		"http://closed.example/": "InvalidServiceUri", "https://told.example": "", "": "",
	} {
		a := s.Do(t, s.token, http.MethodPatch, id.String(), `{"properties":{"trigger":{"baseImageTrigger":{"name":"b","baseImageTriggerType":"Runtime","updateTriggerEndpoint":"`+endpoint+`"}}}}`)
		if a.Code() != want {
			t.Errorf("%q: %v", endpoint, a.Body)
		}
	}
}

// A task's endpoint for base images is a target too.
func TestTargetOfTask(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	if _, err := s.Server.DeliveryTarget(t.Context(), id); drydock.CodeOf(err) != drydock.NotFound {
		t.Error("without an endpoint: ", err)
	}
	a := s.Do(t, s.token, http.MethodPatch, id.String(), `{"properties":{"trigger":{"baseImageTrigger":{"name":"b","baseImageTriggerType":"Runtime","updateTriggerEndpoint":"https://told.example"}}}}`)
	if a.Status != 200 {
		t.Fatal(a.Body)
	}
	if target, err := s.Server.DeliveryTarget(t.Context(), id); err != nil || target.URL != "https://told.example" || target.Disabled {
		t.Errorf("%+v %v", target, err)
	}
}
