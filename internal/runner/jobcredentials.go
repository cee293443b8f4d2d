package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

// credentials returns what the run signs in to registries with, the given ones
// before that of the run itself.
func (j *job) credentials(ctx context.Context, timeout time.Duration) ([]drydock.Credential, error) {
	var creds []drydock.Credential
	for _, c := range j.request.Credentials {
		found, err := j.credential(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("signing in to %s: %w", c.Registry, err)
		}
		j.masker.Add(found.Password)
		creds = append(creds, found)
	}
	if !j.request.RegistryLogin || j.request.Untrusted {
		return creds, nil
	}
	own, err := j.ownCredential(ctx, timeout)
	if err != nil {
		return nil, fmt.Errorf("signing in to the run's registry: %w", err)
	}
	j.masker.Add(own.Password)
	creds = append(creds, own)
	if j.agent.OtherHosts != nil {
		for _, host := range j.agent.OtherHosts(j.record) {
			own.Registry = host
			creds = append(creds, own)
		}
	}
	return creds, nil
}

// ownCredential is what the run signs in to its own registry with: as itself, or
// as whom its request says.
func (j *job) ownCredential(ctx context.Context, timeout time.Duration) (drydock.Credential, error) {
	host := j.agent.LoginServer(j.record.Registry)
	if identity := j.request.RegistryIdentity; identity != "" {
		if j.agent.Identities == nil {
			return drydock.Credential{}, noIdentities()
		}
		use := j.use(identity)
		use.Caller = j.request.Caller
		return j.agent.Identities.Login(ctx, use, host)
	}
	token, err := j.token(timeout)
	return drydock.Credential{Registry: host, Username: runUser, Password: token}, err
}

// token is what the run signs in to its own registry with.
func (j *job) token(timeout time.Duration) (string, error) {
	if j.surveying {
		return j.agent.Tokens.SurveyToken(j.record.Registry, timeout)
	}
	return j.agent.Tokens.RunToken(j.record, timeout)
}

func noIdentities() error {
	return drydock.Errorf(drydock.Unavailable, "this server has neither vaults nor identities for registries").
		WithHint("give the credential a user name and a password")
}

func (j *job) credential(ctx context.Context, c drydock.RunCredential) (drydock.Credential, error) {
	identities := j.agent.Identities
	if c.Identity != "" && c.Username.Value == "" && c.Password.Value == "" && j.isReal(c.Registry) {
		return drydock.Credential{}, drydock.Errorf(drydock.Invalid, "the run reaches the real Azure, which does not know the identity %s of this server", c.Identity).
			WithHint("give the credential a user name and a password; they can be URLs of secrets in a vault")
	}
	if identities == nil && (c.Identity != "" || c.Username.Vault || c.Password.Vault) {
		return drydock.Credential{}, noIdentities()
	}
	if c.Identity != "" && c.Username.Value == "" && c.Password.Value == "" {
		return identities.Login(ctx, j.use(c.Identity), c.Registry)
	}
	found := drydock.Credential{Registry: c.Registry}
	var err error
	if found.Username, err = j.value(ctx, c.Username, c.Identity); err != nil {
		return found, err
	}
	found.Password, err = j.value(ctx, c.Password, c.Identity)
	return found, err
}

// value returns a secret, from its vault if that is where it is.
func (j *job) value(ctx context.Context, v drydock.SecretValue, identity string) (string, error) {
	if !v.Vault {
		return v.Value, nil
	}
	return j.agent.Identities.Secret(ctx, j.use(identity), v.Value)
}

// use returns the use of an identity by the run, or by the server if the run is
// only surveyed. Who asked for the run is not among them: that one lets the run use
// its own registry, and not what its authors name.
func (j *job) use(identity string) drydock.IdentityUse {
	use := drydock.IdentityUse{Resource: j.request.Identity, Name: identity}
	if j.record.ID != surveyID {
		run := j.record.Key()
		use.Run = &run
	}
	return use
}
