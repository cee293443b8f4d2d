package runner

import (
	"cmp"
	"context"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

// vaultSecrets reads the `secrets:` of a task with the identities of the task.
type vaultSecrets struct{ *job }

var _ plan.SecretResolver = vaultSecrets{}

// Resolve implements plan.SecretResolver.
func (v vaultSecrets) Resolve(ctx context.Context, s drydock.Secret) (string, error) {
	return v.agent.Identities.Secret(ctx, v.use(cmp.Or(s.ClientID, drydock.SystemIdentity)), s.KeyVault)
}
