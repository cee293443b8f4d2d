package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

func wantCode(t *testing.T, what string, err error, code drydock.Code) {
	t.Helper()
	if got := drydock.CodeOf(err); got != code {
		t.Errorf("%s: %v (%q, not %q)", what, err, got, code)
	}
}

// An application signs in while it has a service principal, and no token of an
// earlier one is good for its successor.
func TestApplicationSignsInByItsServicePrincipal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	app, err := s.directory.Register(t.Context(), "ci")
	if err != nil || app.Kind != drydock.Application {
		t.Fatalf("%+v: %v", app, err)
	}
	secret, err := s.directory.AddSecret(t.Context(), app.ID, "first", time.Time{})
	if err != nil || secret.KeyID == "" || secret.AppID != app.AppID {
		t.Fatalf("%+v: %v", secret, err)
	}
	status, body := s.ask(t, "/adfs/oauth2/token", signIn(secret))
	if status != http.StatusBadRequest || body["error_codes"].([]any)[0] != 7000229.0 {
		t.Errorf("before it has a service principal: %d %v", status, body)
	}
	first, err := s.directory.Instate(t.Context(), strings.ToUpper(app.AppID))
	if err != nil || first.Kind != drydock.ServicePrincipal || first.Name != "ci" {
		t.Fatalf("%+v: %v", first, err)
	}
	_, err = s.directory.Instate(t.Context(), app.AppID)
	wantCode(t, "once more", err, drydock.Conflict)
	_, err = s.directory.Instate(t.Context(), tenant)
	wantCode(t, "of no application", err, drydock.NotFound)
	token := s.tokenOf(t, secret)
	if err := s.directory.Dismiss(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s, token, auth.Management, "InvalidAuthenticationToken")
	kept, err := s.store.PrincipalByAppID(t.Context(), app.AppID)
	if err != nil || kept.Kind != drydock.Application || kept.ID == first.ID || len(kept.Secrets) != 1 {
		t.Errorf("what is left: %+v: %v", kept, err)
	}
	wantCode(t, "twice", s.directory.Dismiss(t.Context(), kept.ID), drydock.NotFound)
	second, err := s.directory.Instate(t.Context(), app.AppID)
	if err != nil || second.ID == first.ID {
		t.Errorf("%+v: %v", second, err)
	}
	wantRefused(t, s, token, auth.Management, "InvalidAuthenticationToken")
	if p, err := s.Verify(t.Context(), s.tokenOf(t, secret), auth.Management); err != nil || p.ID != second.ID {
		t.Errorf("%+v: %v", p, err)
	}
	if err := s.directory.Unregister(t.Context(), second.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.store.PrincipalByAppID(t.Context(), app.AppID)
	wantCode(t, "in the end", err, drydock.NotFound)
}

func TestApplicationNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, good := range map[string]bool{
		"ci": true, "Größe 9 (build)": true, strings.Repeat("ü", 256): true,
		"": false, " ": false, "a\nb": false, strings.Repeat("a", 257): false, "\xff": false,
	} {
		p, err := s.directory.Register(t.Context(), name)
		if (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
		if err != nil {
			wantCode(t, name, err, drydock.Invalid)
			continue
		}
		if err := s.directory.Rename(t.Context(), p.ID, name+"!"[:min(1, 256-len([]rune(name)))]); err != nil {
			t.Errorf("renaming %q: %v", name, err)
		}
	}
}

func TestSecretsComeAndGo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, first, err := s.directory.Create(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	for name, expires := range map[string]time.Time{
		"now": s.clock(), "a year ago": s.clock().AddDate(-1, 0, 0), "in 300 years": s.clock().AddDate(290, 0, 0),
	} {
		_, err := s.directory.AddSecret(t.Context(), p.ID, "x", expires)
		wantCode(t, "expires "+name, err, drydock.Invalid)
	}
	_, err = s.directory.AddSecret(t.Context(), p.ID, strings.Repeat("x", 300), time.Time{})
	wantCode(t, "a long name", err, drydock.Invalid)
	brief, err := s.directory.AddSecret(t.Context(), p.ID, "brief", s.clock().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s.tokenOf(t, brief)
	s.pass(2 * time.Hour)
	for range 7 { // the one that has expired makes room
		if _, err = s.directory.AddSecret(t.Context(), p.ID, "", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.directory.AddSecret(t.Context(), p.ID, "", time.Time{})
	wantCode(t, "a ninth", err, drydock.Conflict)
	if err := s.directory.RemoveSecret(t.Context(), p.ID, first.KeyID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "twice", s.directory.RemoveSecret(t.Context(), p.ID, first.KeyID), drydock.NotFound)
	if status, body := s.ask(t, "/adfs/oauth2/token", signIn(first)); status != http.StatusUnauthorized {
		t.Errorf("a removed secret: %d %v", status, body)
	}
}

// The admin and the identities of resources are not anybody's to delete.
func TestWhatCanNotBeDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	p, err := s.store.PrincipalByAppID(t.Context(), admin.AppID)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "the admin", s.directory.Dismiss(t.Context(), p.ID), drydock.Conflict)
	wantCode(t, "the admin's application", s.directory.Unregister(t.Context(), p.ID), drydock.Conflict)
	task := drydock.ResourceID{Subscription: subscription, Group: "g", Namespace: "Microsoft.ContainerRegistry", Types: []string{"registries"}, Names: []string{"contoso"}}
	identity := drydock.Principal{ID: s.newID(), AppID: s.newID(), Kind: drydock.ManagedIdentity, Owner: task}
	if err := s.store.PutPrincipal(t.Context(), identity); err != nil {
		t.Fatal(err)
	}
	_, err = s.directory.AddSecret(t.Context(), identity.ID, "", time.Time{})
	wantCode(t, "a secret for an identity", err, drydock.Conflict)
	wantCode(t, "an identity", s.directory.Dismiss(t.Context(), identity.ID), drydock.Conflict)
	wantCode(t, "its application", s.directory.Unregister(t.Context(), identity.ID), drydock.Conflict)
	wantCode(t, "its name", s.directory.Rename(t.Context(), identity.ID, "x"), drydock.Conflict)
	s.tokenOf(t, admin)
}
