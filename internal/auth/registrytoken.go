package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// The purposes of registry tokens, which keep each kind from being used as
// another.
const (
	refreshPurpose = "refresh_token"
	accessPurpose  = "access_token"
)

const (
	refreshLifetime = 3 * time.Hour
	accessLifetime  = time.Hour
)

// RegistryTokens signs in to registries and makes their tokens. What it refuses
// is an error with code Denied. Its methods may be called from several
// goroutines.
type RegistryTokens struct {
	Authority  *Authority
	Roles      Assignments
	AdminUsers *AdminUsers
	Tokens     *ScopedTokens
}

// repositoryActions are the actions that the scopes of registry tokens stand for.
var repositoryActions = map[string]string{
	"pull": PullAction, "push": PushAction, "delete": DeleteAction,
	"metadata_read": PullAction, "metadata_write": PushAction,
}

// Password signs in with the name and password of the registry's admin user or
// of one of its tokens, or with the client id and a secret of a service principal.
func (t *RegistryTokens) Password(ctx context.Context, registry drydock.ResourceID, user, password string) (drydock.Principal, error) {
	admin, err := t.AdminUsers.Check(ctx, registry, user, password)
	if err != nil {
		return drydock.Principal{}, err
	}
	if admin {
		return adminPrincipal(registry), nil
	}
	token, err := t.Tokens.signIn(ctx, registry, user, password)
	if !errors.Is(err, errNoToken) {
		return token, err
	}
	if strings.EqualFold(user, registry.Name()) {
		return drydock.Principal{}, drydock.Errorf(drydock.Denied, "the admin user of registry %s is not enabled, or its password is another one", registry.Name()).
			WithHint("acr update --admin-enabled true enables it, acr credential show has its passwords")
	}
	p, err := t.Authority.CheckSecret(ctx, user, password)
	var refused *oauthError
	if errors.As(err, &refused) {
		return p, drydock.Errorf(drydock.Denied, "%s", refused.message)
	}
	return p, err
}

// Anybody signs in without credentials, to a registry that lets everybody pull.
func (t *RegistryTokens) Anybody(ctx context.Context, registry drydock.ResourceID) (drydock.Principal, error) {
	return anybody(ctx, t.Tokens.Resources, registry)
}

// AccessToken signs in with a token of the authority, for registries or for the
// resource manager, which ACR takes too.
func (t *RegistryTokens) AccessToken(ctx context.Context, token string) (drydock.Principal, error) {
	p, err := t.Authority.Verify(ctx, token, Registry)
	var refused *TokenError
	if errors.As(err, &refused) && refused.Code == "InvalidAuthenticationTokenAudience" {
		p, err = t.Authority.Verify(ctx, token, Management)
	}
	return p, denied(err)
}

// RefreshToken signs in with what MintRefresh returned for the registry. The
// token of a run is one too.
func (t *RegistryTokens) RefreshToken(ctx context.Context, registry drydock.ResourceID, token string) (drydock.Principal, error) {
	p, _, err := t.open(ctx, registry, token, refreshPurpose)
	if err == nil {
		return p, nil
	}
	if p, other := t.Authority.Verify(ctx, token, Registry); other == nil {
		return p, nil
	}
	return p, err
}

// MintRefresh returns a token with which a principal can sign in to a registry.
func (t *RegistryTokens) MintRefresh(ctx context.Context, registry drydock.ResourceID, p drydock.Principal) (string, error) {
	c, err := t.claims(ctx, registry, p, refreshLifetime)
	if err != nil {
		return "", err
	}
	c.Purpose = refreshPurpose
	return t.Authority.c.Keys.sign(c)
}

// MintAccess returns a token that grants access to what is in a registry, and
// for how long.
func (t *RegistryTokens) MintAccess(ctx context.Context, registry drydock.ResourceID, p drydock.Principal, granted []RepositoryAccess) (string, time.Duration, error) {
	c, err := t.claims(ctx, registry, p, accessLifetime)
	if err != nil {
		return "", 0, err
	}
	c.Purpose, c.Access = accessPurpose, granted
	token, err := t.Authority.c.Keys.sign(c)
	return token, accessLifetime, err
}

// VerifyAccess returns whose token of MintAccess this is, and what it grants of
// what the principal may do now: rights that were taken away end at once.
func (t *RegistryTokens) VerifyAccess(ctx context.Context, registry drydock.ResourceID, token string) (drydock.Principal, []RepositoryAccess, error) {
	p, c, err := t.open(ctx, registry, token, accessPurpose)
	if err != nil {
		return p, nil, err
	}
	var granted []RepositoryAccess
	for _, a := range c.Access {
		if a.Actions, err = t.Allowed(ctx, registry, p, a); err != nil {
			return p, nil, err
		}
		if len(a.Actions) > 0 {
			granted = append(granted, a)
		}
	}
	return p, granted, nil
}

// Allowed returns those of the wanted actions that a principal may do.
func (t *RegistryTokens) Allowed(ctx context.Context, registry drydock.ResourceID, p drydock.Principal, want RepositoryAccess) ([]string, error) {
	switch p.Kind {
	case drydock.ScopedToken:
		if p.Owner.Parent().Key() != registry.Key() {
			return nil, nil
		}
		return t.Tokens.allowed(ctx, p, want)
	case drydock.Anybody:
		if p.Owner.Key() != registry.Key() {
			return nil, nil
		}
		return anybodyMay(want), nil
	}
	rights, err := RightsOf(ctx, t.Roles, p)
	if err != nil {
		return nil, err
	}
	var allowed []string
	for _, action := range want.Actions {
		name, known := repositoryActions[action]
		if action == "*" {
			// Of the catalog, it is to read the names; of a repository, everything.
			name, known = PullAction, true
			if want.Type == "repository" && !(rights.Allow(PushAction, registry) && rights.Allow(DeleteAction, registry)) {
				continue
			}
		}
		if known && rights.Allow(name, registry) && !slices.Contains(allowed, action) {
			allowed = append(allowed, action)
		}
	}
	return allowed, nil
}

// claims are what all tokens of a principal for a registry say.
func (t *RegistryTokens) claims(ctx context.Context, registry drydock.ResourceID, p drydock.Principal, lifetime time.Duration) (Claims, error) {
	c := t.Authority.claims(p.ID, registry.Key(), lifetime)
	c.AppID = p.AppID
	if p.Run != nil {
		c.setRunKey(*p.Run)
		c.Confined = p.Confined
	}
	switch p.Kind {
	case drydock.SurveyIdentity:
		c.Survey = p.Owner.String()
	case drydock.AdminUser:
		stamp, err := t.adminStamp(ctx, registry)
		if err != nil {
			return c, err
		}
		c.Admin = stamp
	case drydock.ScopedToken:
		if len(p.Secrets) != 1 {
			return c, fmt.Errorf("making a token for the token %s: it did not sign in with a password", p.Name)
		}
		c.Token, c.Password = p.Name, p.Secrets[0].ID
	case drydock.Anybody:
		c.Anybody = true
	}
	return c, nil
}

// open checks a token that this registry gave out for a purpose.
func (t *RegistryTokens) open(ctx context.Context, registry drydock.ResourceID, token, purpose string) (drydock.Principal, Claims, error) {
	a := t.Authority
	c, err := a.c.Keys.open(token, a.Issuer(), []string{registry.Key()}, a.c.Now())
	if err == nil && c.Purpose != purpose {
		err = invalidToken("The token is not one of the sort that is needed here.")
	}
	if err != nil {
		return drydock.Principal{}, c, denied(err)
	}
	if c.Admin != "" {
		stamp, err := t.adminStamp(ctx, registry)
		if err == nil && stamp != c.Admin {
			err = drydock.Errorf(drydock.Denied, "The passwords of the admin user were changed.")
		}
		return adminPrincipal(registry), c, err
	}
	p, err := t.principalOf(ctx, registry, c)
	return p, c, denied(err)
}

// principalOf returns the principal that a checked token of a registry speaks
// for, if that may still sign in.
func (t *RegistryTokens) principalOf(ctx context.Context, registry drydock.ResourceID, c Claims) (drydock.Principal, error) {
	switch {
	case c.Token != "":
		return t.Tokens.again(ctx, registry, c.scopedClaims)
	case c.Anybody:
		return t.Anybody(ctx, registry)
	}
	return t.Authority.principalOf(ctx, c)
}

// adminStamp returns what changes with the passwords of an admin user. One who
// is not enabled is refused.
func (t *RegistryTokens) adminStamp(ctx context.Context, registry drydock.ResourceID) (string, error) {
	r, err := t.AdminUsers.Resources.Resource(ctx, registry)
	if err != nil {
		return "", err
	}
	enabled, err := Enabled(r)
	if err != nil {
		return "", err
	}
	if !enabled || len(r.Secrets) == 0 {
		return "", drydock.Errorf(drydock.Denied, "The admin user of the registry is disabled.")
	}
	sum := sha256.Sum256(r.Secrets)
	return base64.RawURLEncoding.EncodeToString(sum[:12]), nil
}

func adminPrincipal(registry drydock.ResourceID) drydock.Principal {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("admin user "+registry.Key())).String()
	return drydock.Principal{ID: id, AppID: id, Kind: drydock.AdminUser, Name: registry.Name(), Owner: registry}
}

// denied gives a refused token the code Denied.
func denied(err error) error {
	var refused *TokenError
	if errors.As(err, &refused) {
		return drydock.Errorf(drydock.Denied, "%w", refused)
	}
	return err
}
