package auth

import (
	"context"

	"github.com/drydockhq/drydock"
)

// HookSecret returns what registries elsewhere show, or sign with, that tell a
// registry's tasks of pushes. It is made at the first call.
func (a *AdminUsers) HookSecret(ctx context.Context, id drydock.ResourceID) (string, error) {
	p, err := a.change(ctx, id, func(p *AdminPasswords) {
		if p.Hook == "" {
			p.Hook = NewSecret()
		}
	})
	return p.Hook, err
}

// RegenerateHookSecret replaces it.
func (a *AdminUsers) RegenerateHookSecret(ctx context.Context, id drydock.ResourceID) (string, error) {
	p, err := a.change(ctx, id, func(p *AdminPasswords) { p.Hook = NewSecret() })
	return p.Hook, err
}

// KnownHookSecret returns the secret of a registry's hook if there is one, and ""
// otherwise.
func (a *AdminUsers) KnownHookSecret(ctx context.Context, id drydock.ResourceID) (string, error) {
	r, err := a.Resources.Resource(ctx, id)
	if err != nil {
		return "", err
	}
	p, err := a.open(r)
	return p.Hook, err
}
