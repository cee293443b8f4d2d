package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/drydockhq/drydock"
)

// Audience is a service that tokens are for.
type Audience string

// The audiences.
const (
	Management Audience = "management"
	Registry   Audience = "registry"
	Graph      Audience = "graph"
)

// tokenLifetime is Azure's, about an hour.
const tokenLifetime = time.Hour

// RunReader finds the run whose identity a token is; a drydock.RunStore is one.
type RunReader interface {
	Run(ctx context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error)
}

// Config is what an Authority needs.
type Config struct {
	Keys       *KeySet
	Principals drydock.PrincipalStore
	Runs       RunReader
	// Groups returns when a container group was made; code NotFound for one that is
	// not there, or going. Nil where there are none.
	Groups   func(ctx context.Context, id drydock.ResourceID) (created time.Time, err error)
	Hasher   *Hasher
	Tenant   string // GUID of the one tenant
	LoginURL string // of the authority, as "https://login.drydock.test:8443", without a final slash
	// Resources are the URLs by which clients name each audience. The first of
	// each is what tokens of our own making are for.
	Resources map[Audience][]string
	// Provider vouches for people who have no password here; nil for none.
	Provider *Provider
	Now      func() time.Time
	NewID    func() string // returns a fresh GUID
}

// Authority issues and checks tokens. Its methods may be called from several
// goroutines.
type Authority struct {
	c     Config
	guard *guard

	// What people have begun: devices by their codes, those codes by the ones that
	// people type, codes for clients, and those who are at the provider.
	devices   *pending[device]
	userCodes *pending[string]
	codes     *pending[authorization]
	away      *pending[away]
}

// NewAuthority returns an Authority.
func NewAuthority(c Config) *Authority {
	return &Authority{
		c: c, guard: newGuard(c.Now),
		devices: newPending[device](c.Now, deviceLifetime), userCodes: newPending[string](c.Now, deviceLifetime),
		codes: newPending[authorization](c.Now, codeLifetime), away: newPending[away](c.Now, awayLifetime),
	}
}

// Tenant returns the GUID of the tenant.
func (a *Authority) Tenant() string { return a.c.Tenant }

// Issuer returns the issuer that tokens name.
func (a *Authority) Issuer() string { return a.c.LoginURL + "/" + a.c.Tenant + "/v2.0" }

// audienceOf returns the audience that a client names by a resource.
func (a *Authority) audienceOf(resource string) (Audience, bool) {
	for audience, known := range a.c.Resources {
		if knownResource(known, resource) {
			return audience, true
		}
	}
	return "", false
}

// issue returns a token for a principal.
func (a *Authority) issue(p drydock.Principal, resource string) (string, error) {
	c := a.claims(p.ID, resource, tokenLifetime)
	c.AppID, c.Azp = p.AppID, p.AppID
	return a.c.Keys.sign(c)
}

func (a *Authority) claims(object, resource string, lifetime time.Duration) Claims {
	now := a.c.Now()
	return Claims{
		Claims: jwt.Claims{
			Issuer:    a.Issuer(),
			Subject:   object,
			Audience:  jwt.Audience{resource},
			ID:        a.c.NewID(),
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now),
			Expiry:    jwt.NewNumericDate(now.Add(lifetime)),
		},
		Tenant: a.c.Tenant, ObjectID: object, IDType: "app", Version: "1.0",
	}
}

// Verify returns whose token this is, for an audience. A token whose principal
// is gone, or whose run has ended, is refused. Refusals are *TokenError.
func (a *Authority) Verify(ctx context.Context, token string, audience Audience) (drydock.Principal, error) {
	if a.c.Provider.issued(token) {
		return a.verifyOutside(ctx, token)
	}
	c, err := a.c.Keys.open(token, a.Issuer(), a.c.Resources[audience], a.c.Now())
	if err != nil {
		return drydock.Principal{}, err
	}
	if c.Tenant != a.c.Tenant || c.Purpose != "" {
		return drydock.Principal{}, invalidToken("The access token is not one for this service.")
	}
	return a.principalOf(ctx, c)
}

// principalOf returns the principal that a checked token speaks for.
func (a *Authority) principalOf(ctx context.Context, c Claims) (drydock.Principal, error) {
	if c.Run != "" {
		return a.runPrincipal(ctx, c)
	}
	if c.Survey != "" {
		return surveyPrincipal(c)
	}
	p, err := a.storedPrincipal(ctx, c.ObjectID)
	if err == nil && p.Person != nil {
		if p.Person.Disabled {
			return drydock.Principal{}, invalidToken("The account of %s is disabled.", p.Person.Login)
		}
		p.Groups = c.Groups
	}
	return p, err
}

// storedPrincipal returns the principal with an object id that a token has.
func (a *Authority) storedPrincipal(ctx context.Context, id string) (drydock.Principal, error) {
	p, err := a.c.Principals.Principal(ctx, id)
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.Principal{}, invalidToken("The identity that the access token is for was deleted.")
	}
	if err != nil {
		return drydock.Principal{}, fmt.Errorf("finding the identity of a token: %w", err)
	}
	return p, nil
}
