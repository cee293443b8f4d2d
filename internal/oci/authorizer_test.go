package oci_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
)

// users is an Authorizer that keeps its tokens in memory. What a user may do is
// a list of "REPOSITORY:ACTION", where "*" stands for any.
type users struct {
	mu        sync.Mutex
	passwords map[string]string
	rights    map[string][]string
	tokens    map[string]fakeToken
}

type fakeToken struct {
	registry string
	user     string
	purpose  string
	granted  []oci.Access
}

func newUsers() *users {
	return &users{
		passwords: map[string]string{"owner": "o", "puller": "p", "pusher": "u", "nobody": "n"},
		rights: map[string][]string{
			"owner":  {"*:*"},
			"puller": {"*:pull", "*:metadata_read"},
			"pusher": {"team/app:pull", "team/app:push"},
		},
		tokens: map[string]fakeToken{},
	}
}

func denied(format string, args ...any) error { return drydock.Errorf(drydock.Denied, format, args...) }

func (u *users) SignIn(_ context.Context, registry drydock.ResourceID, c oci.Credentials) (drydock.Principal, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	user := c.Username
	switch {
	case c.RefreshToken != "":
		t, ok := u.tokens[c.RefreshToken]
		if !ok || t.purpose != "refresh" || t.registry != registry.Key() {
			return drydock.Principal{}, denied("no such refresh token")
		}
		user = t.user
	case c.AccessToken != "":
		var ok bool
		if user, ok = strings.CutPrefix(c.AccessToken, "arm-token-of-"); !ok {
			return drydock.Principal{}, denied("no such access token")
		}
	default:
		if want, ok := u.passwords[user]; !ok || want != c.Password {
			return drydock.Principal{}, denied("wrong name or password")
		}
	}
	return drydock.Principal{ID: user, AppID: user, Kind: drydock.ServicePrincipal, Name: user}, nil
}

func (u *users) Allowed(_ context.Context, _ drydock.ResourceID, p drydock.Principal, want oci.Access) ([]string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var allowed []string
	for _, action := range want.Actions {
		for _, right := range u.rights[p.ID] {
			name, may, _ := strings.Cut(right, ":")
			if (name == "*" || name == want.Name) && (may == "*" || may == action) {
				allowed = append(allowed, action)
				break
			}
		}
	}
	return allowed, nil
}

func (u *users) mint(registry drydock.ResourceID, p drydock.Principal, purpose string, granted []oci.Access) string {
	claims := fmt.Sprintf(`{"exp":%d,"jti":%q}`, time.Now().Add(time.Hour).Unix(), rand.Text())
	token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tokens[token] = fakeToken{registry.Key(), p.ID, purpose, granted}
	return token
}

func (u *users) MintRefresh(_ context.Context, registry drydock.ResourceID, p drydock.Principal) (string, error) {
	return u.mint(registry, p, "refresh", nil), nil
}

func (u *users) MintAccess(_ context.Context, registry drydock.ResourceID, p drydock.Principal, granted []oci.Access) (string, time.Duration, error) {
	return u.mint(registry, p, "access", granted), time.Hour, nil
}

func (u *users) VerifyAccess(_ context.Context, registry drydock.ResourceID, token string) (drydock.Principal, []oci.Access, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t, ok := u.tokens[token]
	if !ok || t.purpose != "access" || t.registry != registry.Key() {
		return drydock.Principal{}, nil, denied("no such token")
	}
	return drydock.Principal{ID: t.user, AppID: t.user}, slices.Clone(t.granted), nil
}

// expire makes all tokens no good.
func (u *users) expire() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.tokens)
}
