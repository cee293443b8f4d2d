package runner

import (
	"context"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

// vaultSecrets reads the `secrets:` of a task with the identities of the task.
type vaultSecrets struct{ *job }

var _ plan.SecretResolver = vaultSecrets{}

// Resolve implements plan.SecretResolver.
func (v vaultSecrets) Resolve(ctx context.Context, s drydock.Secret) (string, error) {
	identity := s.ClientID
	if identity == "" {
		identity = "[system]"
	}
	return v.agent.Identities.Secret(ctx, v.request.Identity, identity, s.KeyVault)
}
