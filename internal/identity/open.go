package identity

import (
	"context"

	"github.com/drydockhq/drydock"
)

// Open returns a credential of a task as registries take it, for the server to
// look at images for the task: what is in a vault is read as the task's identity,
// and one without a user name and a password is a login of the identity.
func (k *Keyring) Open(ctx context.Context, task drydock.ResourceID, c drydock.RunCredential) (drydock.Credential, error) {
	use := drydock.IdentityUse{Resource: task, Name: c.Identity}
	if c.Identity != "" && c.Username.Value == "" && c.Password.Value == "" {
		return k.Login(ctx, use, c.Registry)
	}
	opened := drydock.Credential{Registry: c.Registry}
	var err error
	if opened.Username, err = k.value(ctx, use, c.Username); err != nil {
		return drydock.Credential{}, err
	}
	opened.Password, err = k.value(ctx, use, c.Password)
	return opened, err
}

func (k *Keyring) value(ctx context.Context, use drydock.IdentityUse, v drydock.SecretValue) (string, error) {
	if !v.Vault {
		return v.Value, nil
	}
	return k.Secret(ctx, use, v.Value)
}
