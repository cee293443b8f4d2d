package arm_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Readers of a task see its URLs without the passwords in them; the database has
// them sealed.
func TestSecretsInURLs(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	change := func(body string) {
		t.Helper()
		if a := s.Do(t, s.token, http.MethodPatch, id.String(), body); a.Status != 200 || strings.Contains(asJSON(t, a.Body), "hush") {
			t.Fatal(a.Body)
		}
	}
	change(`{"properties":{"step":{"type":"Docker","contextPath":"https://user:hush-a@git.example/a.git#main:dir","dockerFilePath":"Dockerfile"},"trigger":{
		"sourceTriggers":[{"name":"s","sourceTriggerEvents":["commit"],"sourceRepository":{"sourceControlType":"Github","repositoryUrl":"https://hush-b@git.example/a.git"}}],
		"baseImageTrigger":{"name":"b","baseImageTriggerType":"Runtime","updateTriggerEndpoint":"https://u:hush-c@told.example/x?token=hush-d"}}}}`)
	shown := map[string]string{
		"properties.step.contextPath":                               "https://git.example/a.git#main:dir",
		"properties.trigger.baseImageTrigger.updateTriggerEndpoint": "https://told.example/x",
	}
	look := func() {
		t.Helper()
		a := s.Do(t, s.token, http.MethodGet, id.String(), "")
		for path, want := range shown {
			if a.At(path) != want {
				t.Errorf("%s is %v", path, a.At(path))
			}
		}
		all := asJSON(t, s.Do(t, s.token, http.MethodGet, id.Parent().String()+"/tasks", "").Body)
		stored, err := s.Store.Resource(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string]string{"show": asJSON(t, a.Body), "list": all, "the database": string(stored.Body) + string(stored.Secrets)} {
			if strings.Contains(text, "hush") {
				t.Errorf("%s: %s", what, text)
			}
		}
		details := asJSON(t, s.Do(t, s.token, http.MethodPost, id.String()+"/listDetails", "").Body)
		for _, secret := range []string{"user:hush-a@git.example/a.git#main:dir", "https://hush-b@git", "u:hush-c@told.example/x?token=hush-d"} {
			if !strings.Contains(details, secret) {
				t.Errorf("listDetails has no %s: %s", secret, details)
			}
		}
		triggers, err := s.Server.Triggers(t.Context(), id)
		if err != nil || triggers.Source[1].Repository != "https://hush-b@git.example/a.git" || triggers.BaseImage.Endpoint != "https://u:hush-c@told.example/x?token=hush-d" {
			t.Errorf("%+v %v", triggers, err)
		}
	}
	look()
	// A client that writes what it was shown takes nothing away.
	change(`{"tags":{"a":"b"},"properties":{"step":{"type":"Docker","contextPath":"https://git.example/a.git#main:dir"},"trigger":{
		"sourceTriggers":[{"name":"s","sourceRepository":{"sourceControlType":"Github","repositoryUrl":"https://git.example/a.git"}}],
		"baseImageTrigger":{"name":"b","baseImageTriggerType":"Runtime","updateTriggerEndpoint":"https://told.example/x"}}}}`)
	look()
	// The user of SSH is no secret.
	change(`{"properties":{"step":{"type":"Docker","contextPath":"ssh://git:hush@git.example/b.git"}}}`)
	shown["properties.step.contextPath"] = "ssh://git@git.example/b.git"
	if a := s.Do(t, s.token, http.MethodGet, id.String(), ""); a.At("properties.step.contextPath") != shown["properties.step.contextPath"] {
		t.Error(a.Body)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), `\u0026`, "&")
}
