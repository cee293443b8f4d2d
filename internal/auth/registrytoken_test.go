package auth_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm/armtest"
	"github.com/drydockhq/drydock/internal/auth"
)

// registrySite has the registries "first" and "other", on a real database.
type registrySite struct {
	*armtest.Site
	tokens *auth.RegistryTokens
	first  drydock.ResourceID
	other  drydock.ResourceID
	admin  string // bearer token
}

func newRegistrySite(t *testing.T) *registrySite {
	t.Helper()
	s := &registrySite{Site: armtest.Start(t)}
	s.admin = s.Token(t, s.Admin)
	s.first, s.other = s.Scope("g", "registries", "first"), s.Scope("g", "registries", "other")
	s.put(t, s.first.Parent(), `{"location":"x"}`)
	s.put(t, s.first, `{"location":"x","properties":{"adminUserEnabled":true}}`)
	s.put(t, s.other, `{"location":"x"}`)
	s.tokens = &auth.RegistryTokens{
		Authority: s.Authority, Roles: s.Store,
		AdminUsers: &auth.AdminUsers{Resources: s.Store, Sealer: s.Sealer},
		Tokens:     s.Tokens,
	}
	return s
}

func (s *registrySite) put(t *testing.T, id drydock.ResourceID, body string) {
	t.Helper()
	if a := s.Do(t, s.admin, http.MethodPut, id.String(), body); a.Status > 201 {
		t.Fatalf("%s: %d %v", id, a.Status, a.Body)
	}
}

func wantDenied(t *testing.T, what string, err error) {
	t.Helper()
	if drydock.CodeOf(err) != drydock.Denied {
		t.Errorf("%s: %v", what, err)
	}
}

func all() auth.RepositoryAccess {
	return auth.RepositoryAccess{Type: "repository", Name: "app", Actions: []string{"pull", "push", "delete", "metadata_read", "metadata_write", "fly"}}
}

func TestRegistryTokensOfServicePrincipal(t *testing.T) {
	t.Parallel()
	s := newRegistrySite(t)
	ctx := t.Context()
	pusher := s.Principal(t, auth.AcrPushRole, s.first)
	_, err := s.tokens.Password(ctx, s.first, pusher.AppID, pusher.Secret+"x")
	wantDenied(t, "a wrong secret", err)
	p, err := s.tokens.Password(ctx, s.first, pusher.AppID, pusher.Secret)
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := s.tokens.Allowed(ctx, s.first, p, all())
	if want := []string{"pull", "push", "metadata_read", "metadata_write"}; err != nil || !slices.Equal(allowed, want) {
		t.Errorf("allowed %v: %v", allowed, err)
	}
	if allowed, err := s.tokens.Allowed(ctx, s.other, p, all()); err != nil || len(allowed) > 0 {
		t.Errorf("in the other registry: %v: %v", allowed, err)
	}
	p, err = s.tokens.AccessToken(ctx, s.Token(t, pusher))
	if err != nil || p.AppID != pusher.AppID {
		t.Fatalf("with a token of the resource manager: %+v: %v", p, err)
	}
	refresh, err := s.tokens.MintRefresh(ctx, s.first, p)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = s.tokens.RefreshToken(ctx, s.first, refresh); err != nil || p.AppID != pusher.AppID {
		t.Errorf("with a refresh token: %+v: %v", p, err)
	}
	_, err = s.tokens.RefreshToken(ctx, s.other, refresh)
	wantDenied(t, "another registry's refresh token", err)
	_, _, err = s.tokens.VerifyAccess(ctx, s.first, refresh)
	wantDenied(t, "a refresh token for access", err)
	if _, err := s.Authority.Verify(ctx, refresh, auth.Management); err == nil {
		t.Error("a refresh token is one for the resource manager")
	}
	access, lifetime, err := s.tokens.MintAccess(ctx, s.first, p, []auth.RepositoryAccess{{Type: "repository", Name: "app", Actions: []string{"pull", "push"}}})
	if err != nil || lifetime <= 0 {
		t.Fatal(err)
	}
	if _, granted, err := s.tokens.VerifyAccess(ctx, s.first, access); err != nil || len(granted) != 1 || len(granted[0].Actions) != 2 {
		t.Errorf("granted %v: %v", granted, err)
	}
	_, err = s.tokens.RefreshToken(ctx, s.first, access)
	wantDenied(t, "an access token for a refresh", err)
	_, _, err = s.tokens.VerifyAccess(ctx, s.other, access)
	wantDenied(t, "another registry's access token", err)

	if err := s.Store.DeleteRoleAssignments(ctx, s.first); err != nil {
		t.Fatal(err)
	}
	if _, granted, err := s.tokens.VerifyAccess(ctx, s.first, access); err != nil || len(granted) > 0 {
		t.Errorf("after the role was taken away: %v: %v", granted, err)
	}
	if err := s.Store.DeletePrincipal(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.tokens.VerifyAccess(ctx, s.first, access)
	wantDenied(t, "a deleted principal", err)
}

func TestRegistryTokensEnd(t *testing.T) {
	t.Parallel()
	s := newRegistrySite(t)
	ctx := t.Context()
	management := s.Token(t, s.Admin)
	p, err := s.tokens.AccessToken(ctx, management)
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := s.tokens.MintRefresh(ctx, s.first, p)
	if err != nil {
		t.Fatal(err)
	}
	access, lifetime, err := s.tokens.MintAccess(ctx, s.first, p, []auth.RepositoryAccess{all()})
	if err != nil {
		t.Fatal(err)
	}
	s.Pass(lifetime + time.Minute)
	_, _, err = s.tokens.VerifyAccess(ctx, s.first, access)
	wantDenied(t, "an access token that has expired", err)
	s.Pass(24 * time.Hour)
	_, err = s.tokens.RefreshToken(ctx, s.first, refresh)
	wantDenied(t, "a refresh token that has expired", err)
	_, err = s.tokens.AccessToken(ctx, management)
	wantDenied(t, "the authority's token that has expired", err)
}

func TestRegistryTokensOfAdminUser(t *testing.T) {
	t.Parallel()
	s := newRegistrySite(t)
	ctx := t.Context()
	list := func() string {
		a := s.Do(t, s.admin, http.MethodPost, s.first.String()+"/listCredentials", "")
		passwords, _ := a.At("passwords").([]any)
		if a.At("username") != "first" || len(passwords) != 2 {
			t.Fatalf("%d %v", a.Status, a.Body)
		}
		first, _ := passwords[0].(map[string]any)
		value, _ := first["value"].(string)
		return value
	}
	password := list()
	if again := list(); again != password || password == "" {
		t.Errorf("the passwords are %q and then %q", password, again)
	}
	p, err := s.tokens.Password(ctx, s.first, "FIRST", password)
	if err != nil {
		t.Fatal(err)
	}
	if allowed, err := s.tokens.Allowed(ctx, s.first, p, all()); err != nil || len(allowed) != 5 {
		t.Errorf("allowed %v: %v", allowed, err)
	}
	if allowed, err := s.tokens.Allowed(ctx, s.other, p, all()); err != nil || len(allowed) > 0 {
		t.Errorf("in the other registry: %v: %v", allowed, err)
	}
	_, err = s.tokens.Password(ctx, s.other, "first", password)
	wantDenied(t, "the other registry", err)
	_, err = s.tokens.Password(ctx, s.first, "first", "")
	wantDenied(t, "no password", err)
	access, _, err := s.tokens.MintAccess(ctx, s.first, p, []auth.RepositoryAccess{all()})
	if err != nil {
		t.Fatal(err)
	}
	if _, granted, err := s.tokens.VerifyAccess(ctx, s.first, access); err != nil || len(granted) != 1 {
		t.Errorf("granted %v: %v", granted, err)
	}
	if a := s.Do(t, s.admin, http.MethodPost, s.first.String()+"/regenerateCredential", `{"name":"password"}`); a.Status != 200 {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	_, err = s.tokens.Password(ctx, s.first, "first", password)
	wantDenied(t, "the old password", err)
	if err == nil || !strings.Contains(err.Error(), "admin user of registry") {
		t.Errorf("who is refused is told %v", err)
	}
	_, _, err = s.tokens.VerifyAccess(ctx, s.first, access)
	wantDenied(t, "a token of before", err)
	fresh := list()
	if _, err := s.tokens.Password(ctx, s.first, "first", fresh); err != nil {
		t.Error(err)
	}
	s.Do(t, s.admin, http.MethodPatch, s.first.String(), `{"properties":{"adminUserEnabled":false}}`)
	_, err = s.tokens.Password(ctx, s.first, "first", fresh)
	wantDenied(t, "a disabled admin user", err)
}

func TestRegistryTokensOfRun(t *testing.T) {
	t.Parallel()
	s := newRegistrySite(t)
	ctx := t.Context()
	run, err := s.Store.CreateRun(ctx, drydock.RunRecord{Registry: s.first, Type: drydock.QuickRun, Request: []byte("{}"), Created: time.Now(), Updated: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	set := func(status drydock.RunStatus) {
		if _, err := s.Store.UpdateRun(ctx, s.first, run.ID, func(r *drydock.RunRecord) error {
			r.Status, r.Attempts = status, 1
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	set(drydock.RunRunning)
	token, err := s.Authority.RunToken(drydock.RunRecord{Registry: s.first, ID: run.ID, Created: run.Created, Attempts: 1}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	// As a runner gives it: the password of the user that stands for tokens.
	p, err := s.tokens.RefreshToken(ctx, s.first, token)
	if err != nil {
		t.Fatal(err)
	}
	access, _, err := s.tokens.MintAccess(ctx, s.first, p, []auth.RepositoryAccess{all()})
	if err != nil {
		t.Fatal(err)
	}
	_, granted, err := s.tokens.VerifyAccess(ctx, s.first, access)
	if err != nil || len(granted) != 1 || !strings.Contains(strings.Join(granted[0].Actions, " "), "push") {
		t.Errorf("granted %v: %v", granted, err)
	}
	if allowed, err := s.tokens.Allowed(ctx, s.other, p, all()); err != nil || len(allowed) > 0 {
		t.Errorf("in the other registry: %v: %v", allowed, err)
	}
	set(drydock.RunSucceeded)
	_, _, err = s.tokens.VerifyAccess(ctx, s.first, access)
	wantDenied(t, "after the run", err)
	_, err = s.tokens.RefreshToken(ctx, s.first, token)
	wantDenied(t, "after the run", err)
}

// A survey reads one registry, and does nothing else anywhere.
func TestTokensOfSurveys(t *testing.T) {
	t.Parallel()
	s := newRegistrySite(t)
	ctx := t.Context()
	token, err := s.Authority.SurveyToken(s.first, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.tokens.RefreshToken(ctx, s.first, token)
	if err != nil {
		t.Fatal(err)
	}
	access, _, err := s.tokens.MintAccess(ctx, s.first, p, []auth.RepositoryAccess{all()})
	if err != nil {
		t.Fatal(err)
	}
	_, granted, err := s.tokens.VerifyAccess(ctx, s.first, access)
	if err != nil || len(granted) != 1 || strings.Join(granted[0].Actions, " ") != "pull metadata_read" {
		t.Errorf("granted %v: %v", granted, err)
	}
	if allowed, err := s.tokens.Allowed(ctx, s.other, p, all()); err != nil || len(allowed) > 0 {
		t.Errorf("in the other registry: %v: %v", allowed, err)
	}
	for action, want := range map[string]bool{
		auth.PullAction: true, auth.PushAction: false, auth.DeleteAction: false, "Microsoft.ContainerRegistry/registries/read": false,
	} {
		if err := auth.Authorize(ctx, s.Store, p, action, s.first); (err == nil) != want {
			t.Errorf("%s: %v", action, err)
		}
	}
	if _, err := s.Authority.Verify(ctx, token, auth.Management); err == nil {
		t.Error("the resource manager takes it")
	}
}
