package main

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/oci"
)

// registryAuthorizer is the authority as the registries want it.
type registryAuthorizer struct{ *auth.RegistryTokens }

var _ oci.Authorizer = registryAuthorizer{}

func (d *daemon) registryAuthorizer() oci.Authorizer {
	return registryAuthorizer{&auth.RegistryTokens{
		Authority: d.authority, Roles: d.store,
		AdminUsers: &auth.AdminUsers{Resources: d.store, Sealer: d.sealer},
		Tokens:     d.scopedTokens(),
	}}
}

// SignIn implements oci.Authorizer.
func (a registryAuthorizer) SignIn(ctx context.Context, registry drydock.ResourceID, c oci.Credentials) (drydock.Principal, error) {
	switch {
	case c == oci.Credentials{}:
		return a.Anybody(ctx, registry)
	case c.RefreshToken != "":
		return a.RefreshToken(ctx, registry, c.RefreshToken)
	case c.AccessToken != "":
		return a.AccessToken(ctx, c.AccessToken)
	}
	return a.Password(ctx, registry, c.Username, c.Password)
}

// Allowed implements oci.Authorizer.
func (a registryAuthorizer) Allowed(ctx context.Context, registry drydock.ResourceID, p drydock.Principal, want oci.Access) ([]string, error) {
	return a.RegistryTokens.Allowed(ctx, registry, p, auth.RepositoryAccess(want))
}

// MintAccess implements oci.Authorizer.
func (a registryAuthorizer) MintAccess(ctx context.Context, registry drydock.ResourceID, p drydock.Principal, granted []oci.Access) (string, time.Duration, error) {
	list := make([]auth.RepositoryAccess, len(granted))
	for i, g := range granted {
		list[i] = auth.RepositoryAccess(g)
	}
	return a.RegistryTokens.MintAccess(ctx, registry, p, list)
}

// VerifyAccess implements oci.Authorizer.
func (a registryAuthorizer) VerifyAccess(ctx context.Context, registry drydock.ResourceID, token string) (drydock.Principal, []oci.Access, error) {
	p, list, err := a.RegistryTokens.VerifyAccess(ctx, registry, token)
	if err != nil {
		return p, nil, err
	}
	granted := make([]oci.Access, len(list))
	for i, g := range list {
		granted[i] = oci.Access(g)
	}
	return p, granted, nil
}
