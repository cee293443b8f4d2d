package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/auth"
)

func TestTriggerHook(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	s.registry(t, "fabrikam")
	id := s.Scope("g", "registries", "contoso")
	users := &auth.AdminUsers{Resources: s.Store, Sealer: s.Sealer}
	if known, err := users.KnownHookSecret(t.Context(), id); known != "" || err != nil {
		t.Errorf("before anybody asks: %q, %v", known, err)
	}
	hook := func(action string) map[string]any {
		t.Helper()
		a := s.Do(t, s.token, http.MethodPost, id.String()+"/"+action, "")
		if a.Status != 200 {
			t.Fatal(action, a.Status, a.Body)
		}
		return a.Body
	}
	first := hook("listTriggerHook")
	url, _ := first["url"].(string)
	secret, _ := first["secret"].(string)
	if !strings.HasSuffix(url, "/hooks/registry/contoso") || len(secret) < 30 || first["urlWithSecret"] != url+"?token="+secret {
		t.Errorf("%v", first)
	}
	if again := hook("listTriggerHook"); again["secret"] != secret {
		t.Error("it changes by itself")
	}
	if known, err := users.KnownHookSecret(t.Context(), id); known != secret || err != nil {
		t.Errorf("%q, %v", known, err)
	}
	if next := hook("regenerateTriggerHook"); next["secret"] == secret || hook("listTriggerHook")["secret"] != next["secret"] {
		t.Error("it is not replaced")
	}
	if known, err := users.KnownHookSecret(t.Context(), s.Scope("g", "registries", "fabrikam")); known != "" || err != nil {
		t.Errorf("of another registry: %q, %v", known, err)
	}
	body := s.Do(t, s.token, http.MethodGet, id.String(), "")
	if text := fmt.Sprint(body.Body); body.Status != 200 || strings.Contains(text, secret) || strings.Contains(text, "hook") {
		t.Errorf("the registry shows %v", body.Body)
	}
	reader := s.Token(t, s.Principal(t, auth.ReaderRole, id))
	for _, action := range []string{"listTriggerHook", "regenerateTriggerHook"} {
		if a := s.Do(t, reader, http.MethodPost, id.String()+"/"+action, ""); a.Status != 403 {
			t.Errorf("a reader: %s: %d", action, a.Status)
		}
		if a := s.Do(t, s.token, http.MethodPost, s.Scope("g", "registries", "nowhere").String()+"/"+action, ""); a.Status != 404 {
			t.Errorf("of a registry that is not there: %d", a.Status)
		}
	}
}
