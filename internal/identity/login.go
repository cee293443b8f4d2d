package identity

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// tokenUser is the user name that goes with a token, as in ACR.
const tokenUser = "00000000-0000-0000-0000-000000000000"

// Login returns what an identity signs in to a registry of this server with, for
// as long as the run of the use lasts.
func (k *Keyring) Login(ctx context.Context, use drydock.IdentityUse, host string) (drydock.Credential, error) {
	p, err := k.find(ctx, use)
	if err != nil {
		return drydock.Credential{}, err
	}
	return k.loginAs(ctx, use, p, host)
}

// GroupLogin returns what a user-assigned identity signs in to a registry of this
// server with, for a container group that it is, or is about to be, assigned to.
func (k *Keyring) GroupLogin(ctx context.Context, group, identity drydock.ResourceID, host string) (drydock.Credential, error) {
	found, err := k.Principals.Principals(ctx, identity)
	if err != nil {
		return drydock.Credential{}, err
	}
	for _, p := range found {
		if p.Owner.Key() == identity.Key() && p.Kind == drydock.ManagedIdentity {
			return k.loginAs(ctx, drydock.IdentityUse{Resource: group, Name: p.AppID}, p, host)
		}
	}
	return drydock.Credential{}, drydock.Errorf(drydock.NotFound, "the user-assigned identity %s of %s was deleted", identity, group.Described())
}

// loginAs is Login for an identity that has been found.
func (k *Keyring) loginAs(ctx context.Context, use drydock.IdentityUse, p drydock.Principal, host string) (drydock.Credential, error) {
	registry, err := k.Registries.RegistryAt(ctx, host)
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.Credential{}, drydock.Errorf(drydock.NotFound, "%s can't sign in to %s, which is not a registry of this server", who(use, p), host).
			WithHint("give the credential a user name and a password; they can be URLs of secrets in a vault")
	}
	if err != nil {
		return drydock.Credential{}, err
	}
	rights, err := auth.RightsOf(ctx, k.Roles, p)
	if err != nil {
		return drydock.Credential{}, err
	}
	if !rights.Allow(auth.PullAction, registry) {
		return drydock.Credential{}, drydock.Errorf(drydock.Denied, "%s may not pull from registry %s: it has no role with the action %s there", who(use, p), registry.Name(), auth.PullAction).
			WithHint("give it one with: az role assignment create --assignee-object-id %s --assignee-principal-type ServicePrincipal --role AcrPull --scope %s", p.ID, registry)
	}
	token, err := k.Tokens.NewRegistryToken(registry, p, k.Lifetime)
	if err != nil {
		return drydock.Credential{}, err
	}
	return drydock.Credential{Registry: host, Username: tokenUser, Password: token}, nil
}

// find returns the identity that a use names, with what acts as it.
func (k *Keyring) find(ctx context.Context, use drydock.IdentityUse) (drydock.Principal, error) {
	if strings.EqualFold(use.Name, drydock.CallerIdentity) {
		return k.caller(ctx, use)
	}
	if use.Resource.Subscription == "" {
		return drydock.Principal{}, drydock.Errorf(drydock.Invalid, "the identity %s is not there: the run has no identities", use.Name).
			WithHint("runs of a task have those of the task: az acr task identity assign gives it one")
	}
	all, err := k.Directory.Identities(ctx, use.Resource)
	if err != nil {
		return drydock.Principal{}, err
	}
	p, err := all.Named(use.Name)
	p.Run = use.Run
	return p, err
}

// caller returns who asked for the run.
func (k *Keyring) caller(ctx context.Context, use drydock.IdentityUse) (drydock.Principal, error) {
	if use.Caller == "" {
		return drydock.Principal{}, drydock.Errorf(drydock.Invalid, "nobody asked for the run: there is no %s", drydock.CallerIdentity).
			WithHint("name an identity of the task instead, as %s", drydock.SystemIdentity)
	}
	p, err := k.Principals.Principal(ctx, use.Caller)
	if drydock.CodeOf(err) == drydock.NotFound {
		return p, drydock.Errorf(drydock.Denied, "who asked for the run (object id %s) was deleted", use.Caller)
	}
	p.Run = use.Run
	return p, err
}

// who names an identity as people know it.
func who(use drydock.IdentityUse, p drydock.Principal) string {
	if strings.EqualFold(use.Name, drydock.CallerIdentity) {
		return p.Name + " (object id " + p.ID + "), who asked for the run,"
	}
	if p.Owner.Key() == use.Resource.Key() {
		return "the identity " + drydock.SystemIdentity + " of " + use.Resource.Described() + " (object id " + p.ID + ")"
	}
	return "the identity " + p.Name + " (object id " + p.ID + ", client id " + p.AppID + ") of " + use.Resource.Described()
}
