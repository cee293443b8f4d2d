package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/drydockhq/drydock"
)

// Provider is an OpenID provider elsewhere, such as Keycloak, Dex or Entra, that
// vouches for people and says which groups they are in. A nil one vouches for
// nobody. Its methods may be called from several goroutines.
type Provider struct {
	Title         string // shown to people; the issuer's host if empty
	Issuer        string // URL, as its tokens have it
	ClientID      string
	ClientSecret  string   // empty for a public client
	Audiences     []string // of its tokens that are taken; those for ClientID are in any case
	UsernameClaim string   // "" for the first of preferred_username, email and upn
	GroupsClaim   string   // "" for groups
	Scopes        []string // beside openid and profile; nil for email
	Client        *http.Client
	Now           func() time.Time

	mu    sync.Mutex
	found *oidc.Provider
	tried time.Time
	err   error
}

// discoverAgain is how long a provider is left alone that did not answer.
const discoverAgain = 5 * time.Second

// maxGroups bounds how many groups somebody is taken to be in.
const maxGroups = 200

// Name returns what people know the provider by; "" for none.
func (p *Provider) Name() string {
	if p == nil {
		return ""
	}
	if p.Title != "" {
		return p.Title
	}
	_, host, _ := strings.Cut(p.Issuer, "://")
	host, _, _ = strings.Cut(host, "/")
	return host
}

// door returns what people know the provider by where they can sign in there; ""
// for one whose tokens are only taken.
func (p *Provider) door() string {
	if p == nil || p.ClientID == "" {
		return ""
	}
	return p.Name()
}

// outsider is somebody whom a provider vouches for.
type outsider struct {
	issuer, subject string
	login, name     string
	groups          []string // names
}

// context has the libraries use the provider's client, also later than ctx ends.
func (p *Provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.Client)
}

// discover returns the provider as it describes itself.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.err != nil && p.Now().Sub(p.tried) < discoverAgain {
		return nil, p.err
	}
	// The answer is for all: somebody who hangs up must not spoil it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	found, err := oidc.NewProvider(p.context(ctx), p.Issuer)
	p.tried, p.found, p.err = p.Now(), found, nil
	if err != nil {
		p.found, p.err = nil, drydock.Errorf(drydock.Unavailable, "asking the provider of identities %s: %w", p.Issuer, err)
	}
	return p.found, p.err
}

// issued reports whether a token, which may be forged, says that it is the
// provider's.
func (p *Provider) issued(text string) bool {
	if p == nil || len(text) > maxTokenSize {
		return false
	}
	token, err := jwt.ParseSigned(text, foreignAlgorithms)
	if err != nil {
		return false
	}
	var c jwt.Claims
	return token.UnsafeClaimsWithoutVerification(&c) == nil && c.Issuer == p.Issuer
}

// verify returns whom a token of the provider is about.
func (p *Provider) verify(ctx context.Context, text, nonce string) (outsider, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return outsider{}, err
	}
	// The set of keys keeps its context for as long as it is used.
	verifier := found.VerifierContext(p.context(context.WithoutCancel(ctx)), &oidc.Config{SkipClientIDCheck: true, Now: p.Now, SupportedSigningAlgs: algorithmNames()})
	token, err := verifier.Verify(p.context(ctx), text)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return outsider{}, &TokenError{"ExpiredAuthenticationToken", "The token of " + p.Name() + " expired at " + expired.Expiry.UTC().Format(time.RFC3339) + "."}
	case err != nil:
		return outsider{}, invalidToken("The token of %s is not good: %s.", p.Name(), printable(err.Error()))
	case !slices.ContainsFunc(token.Audience, p.takes):
		return outsider{}, &TokenError{"InvalidAuthenticationTokenAudience", fmt.Sprintf("The token of %s is for %q, which is not this service.", p.Name(), strings.Join(token.Audience, ", "))}
	case nonce != "" && token.Nonce != nonce:
		return outsider{}, invalidToken("The token of %s belongs to another sign-in.", p.Name())
	case token.Subject == "":
		return outsider{}, invalidToken("The token of %s is about nobody.", p.Name())
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return outsider{}, invalidToken("The claims of the token of %s can't be read.", p.Name())
	}
	return p.outsider(token.Subject, claims), nil
}

func (p *Provider) takes(audience string) bool {
	return p.ClientID != "" && audience == p.ClientID || slices.Contains(p.Audiences, audience)
}

func (p *Provider) outsider(subject string, claims map[string]any) outsider {
	o := outsider{issuer: p.Issuer, subject: subject}
	names := []string{"preferred_username", "email", "upn"}
	if p.UsernameClaim != "" {
		names = []string{p.UsernameClaim}
	}
	for _, name := range append(names, "sub") {
		if text, _ := claims[name].(string); text != "" && o.login == "" {
			o.login = NormalLogin(printable(text))
		}
	}
	name, _ := claims["name"].(string)
	if o.name = strings.TrimSpace(printable(name)); o.name == "" {
		o.name = o.login
	}
	claim := p.GroupsClaim
	if claim == "" {
		claim = "groups"
	}
	switch groups := claims[claim].(type) {
	case string:
		o.groups = []string{groups}
	case []any:
		for _, group := range groups {
			if text, ok := group.(string); ok && len(o.groups) < maxGroups {
				o.groups = append(o.groups, text)
			}
		}
	}
	return o
}

// oauth returns what sends people to the provider, who come back to a URL.
func (p *Provider) oauth(ctx context.Context, back string) (*oauth2.Config, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	scopes := p.Scopes
	if scopes == nil {
		scopes = []string{"email"}
	}
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: back,
		Scopes: append([]string{oidc.ScopeOpenID, "profile"}, scopes...),
	}, nil
}

// redeem returns whom a code of the provider is about.
func (p *Provider) redeem(ctx context.Context, back, code, verifier, nonce string) (outsider, error) {
	c, err := p.oauth(ctx, back)
	if err != nil {
		return outsider{}, err
	}
	token, err := c.Exchange(p.context(ctx), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return outsider{}, fmt.Errorf("redeeming a code at %s: %w", p.Name(), err)
	}
	text, ok := token.Extra("id_token").(string)
	if !ok {
		return outsider{}, invalidToken("%s sent no id token.", p.Name())
	}
	return p.verify(ctx, text, nonce)
}
