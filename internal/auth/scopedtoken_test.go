package auth_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// scopedSite has a token in the registry "first", and a clock for its passwords.
type scopedSite struct {
	*registrySite
	token drydock.ResourceID
	later time.Duration
}

func newScopedSite(t *testing.T, actions ...string) *scopedSite {
	t.Helper()
	s := &scopedSite{registrySite: newRegistrySite(t)}
	s.token = s.first.Child("tokens", "robot")
	s.put(t, s.first.Child("scopeMaps", "robots"), `{"properties":{"actions":["`+strings.Join(actions, `","`)+`"]}}`)
	s.put(t, s.token, `{"properties":{"scopeMapId":"`+s.first.Child("scopeMaps", "robots").String()+`"}}`)
	s.tokens.Tokens = &auth.ScopedTokens{
		Resources: s.Store, Sealer: s.Sealer, Hasher: auth.NewHasher(), NewID: uuid.NewString,
		Now: func() time.Time { return time.Now().Add(s.later) },
	}
	return s
}

// password makes a password, that expires unless the time is empty.
func (s *scopedSite) password(t *testing.T, name, expiry string) string {
	t.Helper()
	a := s.Do(t, s.admin, http.MethodPost, s.first.String()+"/generateCredentials", `{"tokenId":"`+s.token.String()+`","name":"`+name+`","expiry":"`+expiry+`"}`)
	list, _ := a.At("passwords").([]any)
	if len(list) != 1 {
		t.Fatal(a.Status, a.Body)
	}
	made, _ := list[0].(map[string]any)
	value, _ := made["value"].(string)
	return value
}

func TestPasswordsOfTokensExpire(t *testing.T) {
	t.Parallel()
	s := newScopedSite(t, "repositories/app/content/read")
	ctx := t.Context()
	short := s.password(t, "password1", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	long := s.password(t, "password2", "")
	p, err := s.tokens.Password(ctx, s.first, "ROBOT", short)
	if err != nil || p.Kind != drydock.ScopedToken || p.Name != "robot" || p.Owner.Key() != s.token.Key() {
		t.Fatalf("%+v %v", p, err)
	}
	access, _, err := s.tokens.MintAccess(ctx, s.first, p, []auth.RepositoryAccess{all()})
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := s.tokens.MintRefresh(ctx, s.first, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, granted, err := s.tokens.VerifyAccess(ctx, s.first, access); err != nil || len(granted) != 1 || !slices.Equal(granted[0].Actions, []string{"pull"}) {
		t.Errorf("granted %v: %v", granted, err)
	}
	if again, err := s.tokens.RefreshToken(ctx, s.first, refresh); err != nil || again.ID != p.ID {
		t.Errorf("%+v %v", again, err)
	}
	for what, try := range map[string]func() error{
		"the access token elsewhere":       func() error { _, _, err := s.tokens.VerifyAccess(ctx, s.other, access); return err },
		"the refresh token elsewhere":      func() error { _, err := s.tokens.RefreshToken(ctx, s.other, refresh); return err },
		"the refresh token for access":     func() error { _, _, err := s.tokens.VerifyAccess(ctx, s.first, refresh); return err },
		"the access token as another sort": func() error { _, err := s.tokens.AccessToken(ctx, access); return err },
		"the password elsewhere":           func() error { _, err := s.tokens.Password(ctx, s.other, "robot", long); return err },
		"another password":                 func() error { _, err := s.tokens.Password(ctx, s.first, "robot", long+"x"); return err },
		"an empty password":                func() error { _, err := s.tokens.Password(ctx, s.first, "robot", ""); return err },
		"a name with a slash":              func() error { _, err := s.tokens.Password(ctx, s.first, "../../robot", long); return err },
	} {
		wantDenied(t, what, try())
	}
	if allowed, err := s.tokens.Allowed(ctx, s.other, p, all()); err != nil || len(allowed) > 0 {
		t.Errorf("in the other registry: %v %v", allowed, err)
	}

	s.later = time.Hour
	_, err = s.tokens.Password(ctx, s.first, "robot", short)
	wantDenied(t, "an expired password", err)
	if !strings.Contains(err.Error(), "password1 of the token 'robot' expired at") {
		t.Error(err)
	}
	_, err = s.tokens.RefreshToken(ctx, s.first, refresh)
	wantDenied(t, "a refresh token of an expired password", err)
	_, _, err = s.tokens.VerifyAccess(ctx, s.first, access)
	wantDenied(t, "an access token of an expired password", err)
	if _, err := s.tokens.Password(ctx, s.first, "robot", long); err != nil {
		t.Errorf("the password that does not expire: %v", err)
	}
}

func TestTokenWithTheNameOfItsRegistry(t *testing.T) {
	t.Parallel()
	s := newScopedSite(t, "repositories/app/content/read")
	s.token = s.first.Child("tokens", "first")
	s.put(t, s.token, `{}`)
	password := s.password(t, "password1", "")
	p, err := s.tokens.Password(t.Context(), s.first, "first", password)
	if err != nil || p.Kind != drydock.ScopedToken {
		t.Errorf("%+v %v", p, err)
	}
	if allowed, err := s.tokens.Allowed(t.Context(), s.first, p, all()); err != nil || len(allowed) > 0 {
		t.Errorf("without a scope map: %v %v", allowed, err)
	}
	admin, err := s.tokens.AdminUsers.Passwords(t.Context(), s.first)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.tokens.Password(t.Context(), s.first, "first", admin.Password); err != nil || p.Kind != drydock.AdminUser {
		t.Errorf("%+v %v", p, err)
	}
}

// What a token keeps is sealed for that token: put at another one, it opens
// nothing.
func TestPasswordsOfTokensStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	s := newScopedSite(t, "repositories/app/content/read")
	password := s.password(t, "password1", "")
	stored, err := s.Store.Resource(t.Context(), s.token)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(stored.Body)+string(stored.Secrets), password) {
		t.Error("the password is in the store")
	}
	moved := stored
	moved.ID, moved.ETag = s.first.Child("tokens", "other"), ""
	if _, err := s.Store.PutResource(t.Context(), moved, ""); err != nil {
		t.Fatal(err)
	}
	if p, err := s.tokens.Password(t.Context(), s.first, "other", password); err == nil {
		t.Errorf("%+v", p)
	}
}
