package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

const (
	tokenType    = "tokens"
	scopeMapType = "scopeMaps"
)

// ScopedTokens are the tokens of registries: names with up to two passwords
// that allow what a scope map says. Methods may be called from several
// goroutines.
type ScopedTokens struct {
	Resources drydock.ResourceStore
	Sealer    *Sealer
	Hasher    *Hasher
	Now       func() time.Time
	NewID     func() string // returns a fresh GUID
}

// scopedToken is a stored token as far as it matters here.
type scopedToken struct {
	id        drydock.ResourceID
	enabled   bool
	scopeMap  string // resource id; empty for none
	passwords []drydock.TokenPassword
}

// errNoToken says that a registry has no token of a name.
var errNoToken = errors.New("there is no such token")

// signIn returns who a token and its password are, or errNoToken. What it
// refuses is an error with code Denied.
func (t *ScopedTokens) signIn(ctx context.Context, registry drydock.ResourceID, name, password string) (drydock.Principal, error) {
	if !drydock.IsTokenName(name) {
		return drydock.Principal{}, errNoToken
	}
	token, err := t.read(ctx, registry.Child(tokenType, name))
	if err != nil {
		return drydock.Principal{}, err
	}
	passwords := slices.Clone(token.passwords)
	slices.SortStableFunc(passwords, func(a, b drydock.TokenPassword) int {
		return t.cost(a, password) - t.cost(b, password)
	})
	for _, p := range passwords {
		same, err := t.Hasher.Matches(ctx, p.Hash, password)
		if err != nil {
			return drydock.Principal{}, err
		}
		if same {
			return token.principal(p), token.usable(p, t.Now())
		}
	}
	return drydock.Principal{}, drydock.Errorf(drydock.Denied, "the token '%s' of registry %s has another password", token.id.Name(), registry.Name()).
		WithHint("acr token credential generate makes a new one")
}

// cost is 0 for a password that is known to match, so that one is not stretched
// to be compared with the other each time.
func (t *ScopedTokens) cost(p drydock.TokenPassword, password string) int {
	if t.Hasher.known.has(p.Hash, password) {
		return 0
	}
	return 1
}

// again returns who signed in with a password of a token, if it is still good.
func (t *ScopedTokens) again(ctx context.Context, registry drydock.ResourceID, c scopedClaims) (drydock.Principal, error) {
	if !drydock.IsTokenName(c.Token) {
		return drydock.Principal{}, invalidToken("The token names no token of the registry.")
	}
	token, err := t.read(ctx, registry.Child(tokenType, c.Token))
	if errors.Is(err, errNoToken) {
		return drydock.Principal{}, drydock.Errorf(drydock.Denied, "the token '%s' of registry %s was deleted", c.Token, registry.Name())
	}
	if err != nil {
		return drydock.Principal{}, err
	}
	for _, p := range token.passwords {
		if p.ID == c.Password {
			return token.principal(p), token.usable(p, t.Now())
		}
	}
	return drydock.Principal{}, drydock.Errorf(drydock.Denied, "the password of the token '%s' that was signed in with was replaced or deleted", token.id.Name())
}

// usable returns why a token and one of its passwords are of no use now.
func (s *scopedToken) usable(p drydock.TokenPassword, now time.Time) error {
	switch {
	case !s.enabled:
		return drydock.Errorf(drydock.Denied, "the token '%s' is disabled", s.id.Name()).WithHint("acr token update --status enabled enables it")
	case p.Expired(now):
		return drydock.Errorf(drydock.Denied, "%s of the token '%s' expired at %s", p.Name, s.id.Name(), p.Expires.UTC().Format(time.RFC3339)).
			WithHint("acr token credential generate makes a new one")
	}
	return nil
}

func (s *scopedToken) principal(p drydock.TokenPassword) drydock.Principal {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(s.id.Key())).String()
	return drydock.Principal{
		ID: id, AppID: id, Kind: drydock.ScopedToken, Name: s.id.Name(), Owner: s.id,
		Secrets: []drydock.PrincipalSecret{{ID: p.ID, Name: p.Name, Created: p.Created, Expires: p.Expires}},
	}
}

// read returns a token, or errNoToken.
func (t *ScopedTokens) read(ctx context.Context, id drydock.ResourceID) (*scopedToken, error) {
	r, err := t.Resources.Resource(ctx, id)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil, errNoToken
	}
	if err != nil {
		return nil, fmt.Errorf("reading the token %s: %w", id.Name(), err)
	}
	body, err := scopedBody(r)
	if err != nil {
		return nil, err
	}
	if body.deleting() {
		return nil, errNoToken
	}
	passwords, err := t.Passwords(r)
	return &scopedToken{id: r.ID, enabled: body.Properties.Status != "disabled", scopeMap: body.Properties.ScopeMapID, passwords: passwords}, err
}

// Passwords returns the passwords of a token, ordered by name.
func (t *ScopedTokens) Passwords(token drydock.Resource) ([]drydock.TokenPassword, error) {
	if len(token.Secrets) == 0 {
		return nil, nil
	}
	var list []drydock.TokenPassword
	plain, err := t.Sealer.Open(token.Secrets, tokenPurpose(token.ID))
	if err == nil {
		err = json.Unmarshal(plain, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the passwords of the token %s: %w", token.ID.Name(), err)
	}
	return list, nil
}

// WithPasswords returns the token with these passwords and no others.
func (t *ScopedTokens) WithPasswords(token drydock.Resource, list []drydock.TokenPassword) (drydock.Resource, error) {
	plain, err := json.Marshal(list)
	if err != nil {
		return token, fmt.Errorf("writing the passwords of the token %s: %w", token.ID.Name(), err)
	}
	token.Secrets = t.Sealer.Seal(plain, tokenPurpose(token.ID))
	return token, nil
}

// NewPassword returns a password that no token has yet, and what is to be kept
// of it. It is slow on purpose. A zero time is for one that does not expire.
func (t *ScopedTokens) NewPassword(ctx context.Context, name string, expires time.Time) (string, drydock.TokenPassword, error) {
	secret := NewSecret()
	hash, err := t.Hasher.Hash(ctx, secret)
	return secret, drydock.TokenPassword{Name: name, ID: t.NewID(), Hash: hash, Created: t.Now(), Expires: expires}, err
}

func tokenPurpose(id drydock.ResourceID) string { return "token " + id.Key() }

// scopedResource is what is read of a token or a scope map.
type scopedResource struct {
	Properties struct {
		Status     string
		ScopeMapID string `json:"scopeMapId"`
		Actions    []string
	}
	Drydock struct{ State string }
}

func (s *scopedResource) deleting() bool { return s.Drydock.State == "Deleting" }

func scopedBody(r drydock.Resource) (*scopedResource, error) {
	var body scopedResource
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.ID.Name(), err)
	}
	return &body, nil
}
